/** Who signed a CMS message, and whether the signature is right (RFC 5652 §5.4–5.6, RFC 5816). @module */
import { readSignatureAlgorithm } from '#crypto/algorithm-identifiers'
import type { SignatureScheme } from '#crypto/algorithms'
import { digest, sha256 } from '#crypto/digest'
import { sha1 } from '#crypto/sha1'
import { verifySignature } from '#crypto/verify'
import { equalBytes } from '#encoding/bytes'
import { TAG, readDer, readOid } from '#encoding/der'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import type { Certificate } from '../x509/certificate.js'
import { certificateKey } from '../x509/certificate-key.js'
import { CmsError } from './errors.js'
import type { SignedData, SignerInfo, SigningCertificateId } from './signed-data.js'

/** Whether a certificate is the one that a SignerInfo names. */
export function isSigner(signer: SignerInfo, certificate: Certificate): boolean {
  const { identifier } = signer
  if (identifier.kind === 'subject-key-id') {
    return certificate.subjectKeyId !== undefined && equalBytes(identifier.keyId, certificate.subjectKeyId)
  }
  return (
    equalBytes(identifier.serialNumber, certificate.serialNumber) &&
    equalBytes(identifier.issuer, certificate.issuer.der)
  )
}

/**
 * Verifies the one signature of a message under the first candidate that it names, and returns that certificate.
 * Says nothing about whether the certificate is to be trusted.
 * @throws CmsError CMS_SIGNER if no candidate is named, CMS_ATTRIBUTES, CMS_SIGNATURE, CMS_UNSUPPORTED
 */
export async function verifySignedData(message: SignedData, candidates: readonly Certificate[]): Promise<Certificate> {
  const { signer } = message
  const certificate = candidates.find((candidate) => isSigner(signer, candidate))
  if (certificate === undefined) {
    throw new CmsError('CMS_SIGNER', 'none of the known certificates is the signer’s', {
      expected: describeIdentifier(signer),
      found: `${String(candidates.length)} other certificates`,
    })
  }
  checkAttributes(message, certificate)
  await checkSignature(signer, certificate)
  return certificate
}

function checkAttributes(message: SignedData, certificate: Certificate): void {
  const { attributes, digest: digestName } = message.signer
  if (attributes.contentType !== message.contentType) {
    throw new CmsError('CMS_ATTRIBUTES', 'the signed content type is not that of the content', {
      expected: message.contentType,
      found: attributes.contentType,
    })
  }
  if (!equalBytes(attributes.messageDigest, digest(digestName, message.content))) {
    throw new CmsError('CMS_ATTRIBUTES', 'the signed digest is not that of the content')
  }
  // RFC 5816 §2.2.1: without this binding, another certificate with the same key could be put in the signer's place.
  if (attributes.signingCertificates.length === 0) {
    throw new CmsError('CMS_ATTRIBUTES', 'the signer does not name its certificate', {
      expected: 'a signingCertificate or signingCertificateV2 attribute',
    })
  }
  for (const id of attributes.signingCertificates) checkCertificateId(id, certificate)
}

const HASHES: Readonly<Record<SigningCertificateId['digest'], (data: Uint8Array) => Uint8Array>> = {
  sha1,
  sha256,
  sha384: (data) => digest('sha384', data),
  sha512: (data) => digest('sha512', data),
}

function checkCertificateId(id: SigningCertificateId, certificate: Certificate): void {
  const same =
    equalBytes(id.hash, HASHES[id.digest](certificate.der)) &&
    (id.issuer === undefined || equalBytes(id.issuer, certificate.issuer.der)) &&
    (id.serialNumber === undefined || equalBytes(id.serialNumber, certificate.serialNumber))
  if (!same) throw new CmsError('CMS_ATTRIBUTES', 'the signing-certificate attribute names another certificate')
}

async function checkSignature(signer: SignerInfo, certificate: Certificate): Promise<void> {
  let valid: boolean
  try {
    const scheme = signatureScheme(signer)
    const key = certificateKey(certificate)
    valid = await verifySignature({ key, scheme, signature: signer.signature }, signer.attributes.signed)
  } catch (cause) {
    if (cause instanceof CmsError || !isCodedError(cause)) throw cause
    throw new CmsError('CMS_UNSUPPORTED', `the signature cannot be checked: ${cause.message}`, {
      expected: cause.expected,
      found: cause.found,
      cause,
    })
  }
  if (!valid) throw new CmsError('CMS_SIGNATURE', 'the signature is not by the key of the signer’s certificate')
}

const RSA_ENCRYPTION = '1.2.840.113549.1.1.1'

/** RFC 3370 §3.2 lets an RSA signer name only the kind of key; the digest is then that of the SignerInfo. */
function signatureScheme(signer: SignerInfo): SignatureScheme {
  const element = readDer(signer.signatureAlgorithm, TAG.SEQUENCE)
  const oid = readOid(element.contents().next(TAG.OID))
  if (oid === RSA_ENCRYPTION) return { family: 'rsa-pkcs1', digest: signer.digest }
  return readSignatureAlgorithm(element)
}

function describeIdentifier({ identifier }: SignerInfo): string {
  if (identifier.kind === 'subject-key-id')
    return `a certificate with the subject key id ${encodeHex(identifier.keyId)}`
  return `a certificate with the serial number ${encodeHex(identifier.serialNumber)}`
}
