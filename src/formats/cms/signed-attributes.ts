/** The attributes under a CMS signature (RFC 5652 §11, RFC 5035). @module */
import { readDigestAlgorithm } from '#crypto/algorithm-identifiers'
import { concatBytes } from '#encoding/bytes'
import type { DerElement, DerReader } from '#encoding/der'
import { TAG, contextTag, readDer, readIntegerBytes, readOctetString, readOid, readTime } from '#encoding/der'
import { CmsError } from './errors.js'
import { CMS_OID } from './oids.js'
import type { SignedAttributes, SigningCertificateId } from './signed-data.js'

/**
 * Reads the [0] IMPLICIT SignedAttributes of a SignerInfo.
 * @throws DerError; CmsError CMS_MALFORMED if contentType or messageDigest is missing or any attribute is repeated
 */
export function readSignedAttributes(element: DerElement): SignedAttributes {
  const values = readValues(element.contents())
  const contentType = values.get(CMS_OID.contentTypeAttribute)
  const messageDigest = values.get(CMS_OID.messageDigestAttribute)
  const signingTime = values.get(CMS_OID.signingTimeAttribute)
  const v1 = values.get(CMS_OID.signingCertificateAttribute)
  const v2 = values.get(CMS_OID.signingCertificateV2Attribute)
  if (contentType === undefined || messageDigest === undefined) {
    throw new CmsError('CMS_MALFORMED', 'the signed attributes are incomplete', {
      expected: 'contentType and messageDigest',
    })
  }
  return {
    // RFC 5652 §5.4: signed with the tag of a SET OF, not with the [0] that stands in the message.
    signed: concatBytes(Uint8Array.of(TAG.SET), element.bytes.subarray(1)),
    contentType: readOid(contentType),
    messageDigest: readOctetString(messageDigest),
    signingTime: signingTime === undefined ? undefined : readTime(signingTime),
    signingCertificates: [
      ...(v2 === undefined ? [] : [readSigningCertificate(v2, readCertIdV2)]),
      ...(v1 === undefined ? [] : [readSigningCertificate(v1, readCertIdV1)]),
    ],
  }
}

/** Attribute OID → its only value. */
function readValues(reader: DerReader): ReadonlyMap<string, DerElement> {
  const values = new Map<string, DerElement>()
  while (!reader.done) {
    const attribute = reader.next(TAG.SEQUENCE).contents()
    const oid = readOid(attribute.next(TAG.OID))
    const set = attribute.next(TAG.SET)
    attribute.end()
    // RFC 5652 §5.3 and §11: every attribute read here has one instance with one value.
    if (values.has(oid)) throw new CmsError('CMS_MALFORMED', 'a signed attribute is there twice', { found: oid })
    if (KNOWN.has(oid)) values.set(oid, readDer(set.content))
  }
  return values
}

const KNOWN: ReadonlySet<string> = new Set(Object.values(CMS_OID))

/** SigningCertificate and SigningCertificateV2: the first id is the signer's, the policies are not used (RFC 5035 §3). */
function readSigningCertificate(
  element: DerElement,
  readId: (reader: DerReader) => SigningCertificateId,
): SigningCertificateId {
  if (element.tag !== TAG.SEQUENCE)
    throw new CmsError('CMS_MALFORMED', 'the signing-certificate attribute is not a sequence')
  return readId(element.contents().next(TAG.SEQUENCE).contents().next(TAG.SEQUENCE).contents())
}

function readCertIdV1(reader: DerReader): SigningCertificateId {
  const hash = readOctetString(reader.next(TAG.OCTET_STRING))
  return { digest: 'sha1', hash, ...readIssuerSerial(reader) }
}

function readCertIdV2(reader: DerReader): SigningCertificateId {
  const algorithm = reader.optional(TAG.SEQUENCE)
  // DEFAULT id-sha256 (RFC 5035 §4)
  const digest = algorithm === undefined ? 'sha256' : readDigestAlgorithm(algorithm)
  const hash = readOctetString(reader.next(TAG.OCTET_STRING))
  return { digest, hash, ...readIssuerSerial(reader) }
}

function readIssuerSerial(reader: DerReader): Pick<SigningCertificateId, 'issuer' | 'serialNumber'> {
  const issuerSerial = reader.optional(TAG.SEQUENCE)
  reader.end()
  if (issuerSerial === undefined) return { issuer: undefined, serialNumber: undefined }
  const inner = issuerSerial.contents()
  const names = inner.next(TAG.SEQUENCE).contents()
  // RFC 5035 §4: exactly one name, and it is a directoryName [4].
  const issuer = names.next(contextTag(4, { constructed: true })).content
  names.end()
  const serialNumber = readIntegerBytes(inner.next(TAG.INTEGER))
  inner.end()
  return { issuer, serialNumber }
}
