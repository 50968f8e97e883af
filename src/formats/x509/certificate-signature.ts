/** Whether a certificate is signed by an issuer's key. @module */
import { readSignatureAlgorithm } from '#crypto/algorithm-identifiers'
import type { PublicKey } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import { TAG, readDer } from '#encoding/der'
import { isCodedError } from '#errors'
import type { Certificate } from './certificate.js'
import { CertificateError } from './errors.js'

/**
 * Verifies the signature over a certificate. Names, validity and extensions of either side are the path builder's.
 * @throws CertificateError CERTIFICATE_SIGNATURE; CERTIFICATE_UNSUPPORTED if the algorithm is unknown or does not fit the key
 */
export async function verifyCertificateSignature(
  certificate: Pick<Certificate, 'tbs' | 'signature' | 'signatureAlgorithm'>,
  issuerKey: PublicKey,
): Promise<void> {
  let valid: boolean
  try {
    const scheme = readSignatureAlgorithm(readDer(certificate.signatureAlgorithm, TAG.SEQUENCE))
    valid = await verifySignature({ key: issuerKey, scheme, signature: certificate.signature }, certificate.tbs)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CertificateError(
      'CERTIFICATE_UNSUPPORTED',
      `the certificate's signature cannot be checked: ${cause.message}`,
      {
        expected: cause.expected,
        found: cause.found,
        cause,
      },
    )
  }
  if (!valid) throw new CertificateError('CERTIFICATE_SIGNATURE', 'the certificate is not signed by its issuer’s key')
}
