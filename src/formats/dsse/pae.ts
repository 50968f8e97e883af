/** DSSE's pre-authentication encoding: the bytes that are really signed. @module */
import { concatBytes } from '#encoding/bytes'
import { encodeUtf8 } from '#encoding/utf8'

/** `DSSEv1 <length> <type> <length> <payload>`; lengths are in bytes, in decimal. */
export function preAuthEncode(payloadType: string, payload: Uint8Array): Uint8Array {
  const type = encodeUtf8(payloadType)
  return concatBytes(
    encodeUtf8(`DSSEv1 ${String(type.length)} `),
    type,
    encodeUtf8(` ${String(payload.length)} `),
    payload,
  )
}
