/** Base64 and JSON. @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { isCodedError } from '#errors'
import { evaluationError } from '../cel-error.js'
import { free } from '../environment.js'
import type { Library } from '../environment.js'
import { toJson } from '../json.js'
import { bytes, dyn, string } from '../kind.js'

export const ENCODERS: Library = {
  'base64.decode': [
    free([string], bytes, ([text], { budget }) => {
      budget.make(text.length)
      return readBase64(text)
    }),
  ],
  'base64.encode': [
    free([bytes], string, ([value], { budget }) => {
      budget.make(value.length * 2)
      return encodeBase64(value)
    }),
  ],
  'json.encode': [free([dyn], string, ([value], { budget }) => JSON.stringify(toJson(value, budget)))],
}

/** With padding or without. */
function readBase64(text: string): Uint8Array {
  const stripped = text.replace(/[\r\n]/g, '').replace(/=+$/, '')
  try {
    return decodeBase64(stripped.padEnd(Math.ceil(stripped.length / 4) * 4, '='))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw evaluationError('illegal base64 data', { cause })
  }
}
