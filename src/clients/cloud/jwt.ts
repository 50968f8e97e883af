/** Tokens that a login of ours is proved with (RFC 7519, RFC 7523 §3). @module */
import type { Signer } from '#crypto/private-key'
import { encodeBase64Url } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'

/** For an RSA key: what the header calls its signatures is `alg`. */
export async function signJwt(key: Signer, header: JsonObject, claims: JsonObject): Promise<string> {
  const input = [header, claims].map((part) => encodeBase64Url(encodeUtf8(JSON.stringify(part)))).join('.')
  return `${input}.${encodeBase64Url(await key.sign(encodeUtf8(input)))}`
}
