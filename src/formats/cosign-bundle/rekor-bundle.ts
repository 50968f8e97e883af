/** cosign's old "Rekor bundle": a log entry and its SET, in blob bundles and in annotations of `.sig` layers. @module */
import { encodeBase64 } from '#encoding/base64'
import { decodeHex, encodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { isCodedError } from '#errors'
import { entryKindOf } from '../rekor-entry/body.js'
import type { LogEntry } from '../rekor-entry/log-entry.js'
import { CosignBundleError } from './cosign-bundle-error.js'

/**
 * Reads the JSON text of the annotation `dev.sigstore.cosign/bundle`.
 * @throws CosignBundleError `COSIGN_BUNDLE_MALFORMED`
 */
export function parseRekorBundle(source: string | Uint8Array): LogEntry {
  try {
    return rekorBundleFromJson(parseJson(source), '')
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof CosignBundleError) throw cause
    const { expected, found } = cause
    throw new CosignBundleError('COSIGN_BUNDLE_MALFORMED', `not a Rekor bundle: ${cause.message}`, {
      expected,
      found,
      cause,
    })
  }
}

/** The same from a JSON value. It has no inclusion proof, only the promise. @throws CodedError */
export function rekorBundleFromJson(value: JsonValue, path: string): LogEntry {
  const reader = readMessage(value, path, { names: ['SignedEntryTimestamp', 'Payload'], unknown: 'ignore' })
  const payload = reader.message('Payload', (inner, at) =>
    readMessage(inner, at, { names: ['body', 'integratedTime', 'logIndex', 'logID'], unknown: 'ignore' }),
  )
  const canonicalizedBody = payload.bytes('body')
  const [seconds, logIndex] = [payload.int64('integratedTime'), payload.int64('logIndex')]
  if (seconds < 0n || logIndex < 0n || seconds > 8_640_000_000_000n) {
    throw new CosignBundleError('COSIGN_BUNDLE_MALFORMED', 'a number of the Rekor bundle is out of range', {
      expected: 'numbers from 0',
      found: `integratedTime ${String(seconds)}, logIndex ${String(logIndex)}`,
    })
  }
  return {
    ...entryKindOf(canonicalizedBody),
    logIndex,
    logId: decodeHex(payload.string('logID')),
    integratedTime: seconds === 0n ? undefined : Number(seconds) * 1000,
    inclusionPromise: reader.bytes('SignedEntryTimestamp'),
    canonicalizedBody,
  }
}

/** The JSON of an entry that has a promise, fields in cosign's order; undefined for entries without (Rekor v2). */
export function rekorBundleToJson(entry: LogEntry): JsonObject | undefined {
  if (entry.inclusionPromise === undefined || entry.integratedTime === undefined) return undefined
  return {
    SignedEntryTimestamp: encodeBase64(entry.inclusionPromise),
    Payload: {
      body: encodeBase64(entry.canonicalizedBody),
      integratedTime: Math.floor(entry.integratedTime / 1000),
      logIndex: Number(entry.logIndex),
      logID: encodeHex(entry.logId),
    },
  }
}
