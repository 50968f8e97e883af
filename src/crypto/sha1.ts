/** SHA-1, which is broken for signatures and used for none: old messages still name things by it (RFC 2634 ESSCertID). @module */
import { createHash } from 'node:crypto'

/** The SHA-1 of some bytes, to compare with a name that is bound in another way as well. */
export function sha1(data: Uint8Array): Uint8Array {
  return new Uint8Array(createHash('sha1').update(data).digest())
}
