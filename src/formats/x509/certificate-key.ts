/** The public key of a certificate, read once. @module */
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey } from '#crypto/public-key'
import type { Certificate } from './certificate.js'

// The certificates of a trusted root live long and their keys are asked for again and again; importing one costs as much as using it.
const keys = new WeakMap<Certificate, PublicKey>()

/** The key that a certificate certifies. @throws KeyError if it is malformed or of a kind that is not supported */
export function certificateKey(certificate: Certificate): PublicKey {
  let key = keys.get(certificate)
  if (key === undefined) keys.set(certificate, (key = parsePublicKey(certificate.spki)))
  return key
}
