/** CMS SignedData bytes to a {@link SignedData}: exactly one signer, with signed attributes; nothing trusted yet (RFC 5652 §5). @module */
import { readDigestAlgorithm } from '#crypto/algorithm-identifiers'
import type { DerElement } from '#encoding/der'
import { TAG, contextTag, readDer, readIntegerBytes, readOctetString, readOid, readSmallInteger } from '#encoding/der'
import { isCodedError } from '#errors'
import { CmsError } from './errors.js'
import { CMS_OID } from './oids.js'
import { readSignedAttributes } from './signed-attributes.js'
import type { SignedData, SignerIdentifier, SignerInfo } from './signed-data.js'

/** A chain has two to five; every one costs parsing. */
const MAX_CERTIFICATES = 16

/**
 * Parses a ContentInfo that holds SignedData with embedded content.
 * @throws CmsError CMS_MALFORMED, CMS_UNSUPPORTED
 */
export function parseSignedData(der: Uint8Array): SignedData {
  try {
    return readContentInfo(readDer(der, TAG.SEQUENCE))
  } catch (cause) {
    if (cause instanceof CmsError || !isCodedError(cause)) throw cause
    const code = cause.code === 'ALGORITHM_UNKNOWN' ? 'CMS_UNSUPPORTED' : 'CMS_MALFORMED'
    throw new CmsError(code, `the CMS message cannot be read: ${cause.message}`, {
      expected: cause.expected,
      found: cause.found,
      cause,
    })
  }
}

function readContentInfo(element: DerElement): SignedData {
  const reader = element.contents()
  const contentType = readOid(reader.next(TAG.OID))
  if (contentType !== CMS_OID.signedData) {
    throw new CmsError('CMS_UNSUPPORTED', 'the message is not SignedData', {
      expected: CMS_OID.signedData,
      found: contentType,
    })
  }
  const content = readDer(reader.next(contextTag(0, { constructed: true })).content, TAG.SEQUENCE)
  reader.end()
  return readSignedData(content)
}

function readSignedData(element: DerElement): SignedData {
  const reader = element.contents()
  const version = readSmallInteger(reader.next(TAG.INTEGER))
  if (version < 1 || version > 5)
    throw new CmsError('CMS_UNSUPPORTED', 'an unknown version of SignedData', { found: String(version) })
  reader.next(TAG.SET) // digestAlgorithms: a hint for one-pass readers; the signer's own is what counts
  const { contentType, content } = readEncapsulated(reader.next(TAG.SEQUENCE))
  const certificates = reader.optional(contextTag(0, { constructed: true }))
  reader.optional(contextTag(1, { constructed: true })) // revocation lists: Sigstore has none
  const signers = reader.next(TAG.SET).contents()
  reader.end()
  if (signers.done) throw new CmsError('CMS_UNSUPPORTED', 'the message has no signer', { expected: 'one SignerInfo' })
  const signer = readSignerInfo(signers.next(TAG.SEQUENCE))
  // RFC 3161 §2.4.2 allows one signer only. With two, whichever is checked, the other one would look checked as well.
  if (signers.peek() !== undefined)
    throw new CmsError('CMS_UNSUPPORTED', 'the message has several signers', { expected: 'one SignerInfo' })
  return { contentType, content, certificates: readCertificates(certificates), signer }
}

function readEncapsulated(element: DerElement): { readonly contentType: string; readonly content: Uint8Array } {
  const reader = element.contents()
  const contentType = readOid(reader.next(TAG.OID))
  const explicit = reader.optional(contextTag(0, { constructed: true }))
  reader.end()
  if (explicit === undefined)
    throw new CmsError('CMS_UNSUPPORTED', 'the signed content is not in the message', { expected: 'embedded content' })
  return { contentType, content: readOctetString(readDer(explicit.content, TAG.OCTET_STRING)) }
}

function readCertificates(element: DerElement | undefined): readonly Uint8Array[] {
  const certificates: Uint8Array[] = []
  const reader = element?.contents()
  while (reader !== undefined && !reader.done) {
    const choice = reader.next()
    // Attribute certificates and other formats have context tags; they can sign nothing here.
    if (choice.tag !== TAG.SEQUENCE) continue
    if (certificates.length === MAX_CERTIFICATES) {
      throw new CmsError('CMS_UNSUPPORTED', 'the message has too many certificates', {
        expected: `at most ${String(MAX_CERTIFICATES)}`,
      })
    }
    certificates.push(choice.bytes)
  }
  return certificates
}

function readSignerInfo(element: DerElement): SignerInfo {
  const reader = element.contents()
  const version = readSmallInteger(reader.next(TAG.INTEGER))
  const identifier = readIdentifier(reader.next())
  // RFC 5652 §5.3: the version follows from the identifier's kind.
  if (version !== (identifier.kind === 'issuer-and-serial' ? 1 : 3)) {
    throw new CmsError('CMS_MALFORMED', 'the version of the SignerInfo does not fit how it names its signer', {
      found: String(version),
    })
  }
  const digest = readDigestAlgorithm(reader.next(TAG.SEQUENCE))
  const attributes = reader.optional(contextTag(0, { constructed: true }))
  if (attributes === undefined) {
    throw new CmsError('CMS_UNSUPPORTED', 'the signer has no signed attributes', {
      expected: 'contentType and messageDigest',
    })
  }
  const signatureAlgorithm = reader.next(TAG.SEQUENCE).bytes
  const signature = readOctetString(reader.next(TAG.OCTET_STRING))
  reader.optional(contextTag(1, { constructed: true })) // unsigned attributes prove nothing
  reader.end()
  return { identifier, digest, attributes: readSignedAttributes(attributes), signatureAlgorithm, signature }
}

function readIdentifier(element: DerElement): SignerIdentifier {
  if (element.tag === contextTag(0)) return { kind: 'subject-key-id', keyId: element.content }
  if (element.tag !== TAG.SEQUENCE) throw new CmsError('CMS_MALFORMED', 'the signer is named in an unknown way')
  const reader = element.contents()
  const issuer = reader.next(TAG.SEQUENCE).bytes
  const serialNumber = readIntegerBytes(reader.next(TAG.INTEGER))
  reader.end()
  return { kind: 'issuer-and-serial', issuer, serialNumber }
}
