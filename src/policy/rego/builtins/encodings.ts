/** JSON, base64, digests. @module */
import { sha256 } from '#crypto/digest'
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { parseJson } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { RegoError } from '../rego-error.js'
import { jsonText, type Value, valueOfJson } from '../value.js'
import { ANY, BOOLEAN, builtin, type Builtin, STRING, type Surroundings } from './builtin.js'

type Text = readonly [string]

/** What is read or written piece by piece costs more than what is copied. */
const CHARACTERS_A_STEP = 4

/** What the original would call an error of the function. */
function orUndefined<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch (error) {
    if (isCodedError(error) && !(error instanceof RegoError)) return undefined
    throw error
  }
}

/** Bytes that are no text: Rego strings could hold them, ours cannot. */
function textOf(bytes: Uint8Array): string {
  const text = orUndefined(() => decodeUtf8(bytes))
  if (text === undefined) throw new RegoError('REGO_UNSUPPORTED', 'decoded bytes that are not UTF-8 are not supported')
  return text
}

function decoded(decode: (text: string) => Uint8Array): Builtin {
  return builtin([STRING], STRING, ([text]: Text) => {
    const bytes = orUndefined(() => decode(text.replace(/[\r\n]/g, '')))
    return bytes === undefined ? undefined : textOf(bytes)
  })
}

/** Counts a text that was put together piece by piece. */
function made(text: string, { spend }: Surroundings): string {
  spend(text.length / CHARACTERS_A_STEP)
  return text
}

function isText(read: (text: string) => unknown): Builtin {
  return builtin([STRING], BOOLEAN, ([text]: Text) => orUndefined(() => read(text)) !== undefined)
}

export const ENCODINGS: readonly (readonly [string, Builtin])[] = [
  ['json.marshal', builtin([ANY], STRING, ([value]: readonly [Value], around) => made(jsonText(value), around))],
  [
    'json.unmarshal',
    builtin([STRING], ANY, ([text]: Text, { spend }) => {
      spend(text.length)
      const json = orUndefined(() => parseJson(text))
      return json === undefined ? undefined : valueOfJson(json)
    }),
  ],
  ['json.is_valid', isText(parseJson)],
  ['base64.encode', builtin([STRING], STRING, ([text]: Text) => encodeBase64(encodeUtf8(text)))],
  ['base64.decode', decoded(decodeBase64)],
  ['base64url.encode_no_pad', builtin([STRING], STRING, ([text]: Text) => encodeBase64Url(encodeUtf8(text)))],
  ['base64url.decode', decoded((text) => decodeBase64Url(text.replace(/={0,2}$/, '')))],
  ['hex.encode', builtin([STRING], STRING, ([text]: Text, around) => made(encodeHex(encodeUtf8(text)), around))],
  ['crypto.sha256', builtin([STRING], STRING, ([text]: Text) => encodeHex(sha256(encodeUtf8(text))))],
]
