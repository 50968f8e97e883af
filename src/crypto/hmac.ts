/** HMAC (RFC 2104) over SHA-256. @module */
import { createHmac } from 'node:crypto'

/** The authentication code of the message under the key. */
export function hmacSha256(key: Uint8Array, message: Uint8Array): Uint8Array {
  return createHmac('sha256', key).update(message).digest()
}
