/** Whether a time-stamp token is signed, and for what (RFC 3161 §2.4.2). @module */
import { equalBytes } from '#encoding/bytes'
import type { Certificate } from '../x509/certificate.js'
import { parseCertificate } from '../x509/parse-certificate.js'
import { TimestampError } from './errors.js'
import { verifySignedData } from './signer.js'
import type { MessageImprint, TimestampToken } from './timestamp.js'

/**
 * Verifies a token's signature and returns the signer's certificate, found among the given ones and those in the token.
 * Whether that certificate leads to a trusted authority, has the timeStamping usage and was valid at genTime is the caller's.
 * @throws CmsError as `verifySignedData`; TimestampError TIMESTAMP_MISMATCH if the token names another TSA than the signer
 */
export async function verifyTimestampSignature(
  token: TimestampToken,
  certificates: readonly Certificate[],
): Promise<Certificate> {
  const signer = await verifySignedData(token.signedData, [...certificates, ...embeddedCertificates(token)])
  // RFC 3161 §2.4.2: a tsa name must be one of the certificate's subject names.
  if (token.info.tsa !== undefined && !isSubject(token.info.tsa, signer)) {
    throw new TimestampError('TIMESTAMP_MISMATCH', 'the timestamp names another authority than its signer', {
      expected: signer.subject.text,
    })
  }
  return signer
}

/** The certificates inside a token. @throws CertificateError if one is malformed */
export function embeddedCertificates(token: TimestampToken): readonly Certificate[] {
  return token.signedData.certificates.map(parseCertificate)
}

/**
 * Checks that a token is for the given digest.
 * @throws TimestampError TIMESTAMP_IMPRINT
 */
export function requireImprint(token: TimestampToken, expected: MessageImprint): void {
  const { imprint } = token.info
  if (imprint.digest === expected.digest && equalBytes(imprint.hash, expected.hash)) return
  throw new TimestampError('TIMESTAMP_IMPRINT', 'the timestamp is for other bytes', {
    expected: expected.digest,
    found: imprint.digest === expected.digest ? 'another digest' : imprint.digest,
  })
}

function isSubject(name: Uint8Array, certificate: Certificate): boolean {
  if (equalBytes(name, certificate.subject.der)) return true
  return (certificate.subjectAltNames ?? []).some((alt) => alt.kind === 'directory' && equalBytes(alt.value.der, name))
}
