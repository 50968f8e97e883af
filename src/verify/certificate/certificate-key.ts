/**
 * The public key of a certificate, read once.
 *
 * @module
 */
import { parsePublicKey } from '#crypto/public-key'
import type { PublicKey } from '#crypto/public-key'
import type { Certificate } from '#formats/x509/certificate'

// Trusted roots live long and their keys are asked for with every verification; importing one costs as much as using it.
const keys = new WeakMap<Certificate, PublicKey>()

/**
 * The key that a certificate certifies.
 * @throws KeyError if it is of a kind that is not supported
 */
export function certificateKey(certificate: Certificate): PublicKey {
  let key = keys.get(certificate)
  if (key === undefined) keys.set(certificate, (key = parsePublicKey(certificate.spki)))
  return key
}
