/** Reading the body of a log entry, of whichever kind and version. @module */
import type { JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { isCodedError } from '#errors'
import { parseDsseV1, parseHashedRekordV1, parseIntotoV2 } from './body-v1.js'
import { parseDsseV2, parseHashedRekordV2 } from './body-v2.js'
import type { EntryBody } from './model.js'
import { RekorEntryError } from './rekor-entry-error.js'

/** What a body is, before it is looked into. */
export interface EntryKind {
  readonly kind: string
  readonly version: string
}

type SpecParser = (spec: JsonValue, path: string) => EntryBody

/** Kind and version to the parser of the `spec`. */
const PARSERS: ReadonlyMap<string, SpecParser> = new Map([
  ['hashedrekord 0.0.1', parseHashedRekordV1],
  ['hashedrekord 0.0.2', parseHashedRekordV2],
  ['dsse 0.0.1', parseDsseV1],
  ['dsse 0.0.2', parseDsseV2],
  ['intoto 0.0.2', parseIntotoV2],
])

/**
 * Reads a canonicalized body.
 * @throws RekorEntryError `REKOR_ENTRY_KIND` for kinds that are not verified here, and its other codes
 */
export function parseEntryBody(body: Uint8Array): EntryBody {
  const { kind, version, spec } = open(body)
  const parse = PARSERS.get(`${kind} ${version}`)
  if (parse !== undefined) return asEntryError(() => parse(spec, 'spec'))
  throw new RekorEntryError('REKOR_ENTRY_KIND', 'entries of this kind are not supported', {
    expected: [...PARSERS.keys()].join(', '),
    found: `${kind} ${version}`.slice(0, 80),
  })
}

/** Kind and version of a body, also of kinds that are otherwise not understood. @throws RekorEntryError `REKOR_ENTRY_MALFORMED` */
export function entryKindOf(body: Uint8Array): EntryKind {
  const { kind, version } = open(body)
  return { kind, version }
}

function open(body: Uint8Array): EntryKind & { readonly spec: JsonValue } {
  return asEntryError(() => {
    const reader = readMessage(parseJson(body), '', { names: ['apiVersion', 'kind', 'spec'], unknown: 'ignore' })
    return { kind: reader.string('kind'), version: reader.string('apiVersion'), spec: reader.value('spec') ?? null }
  })
}

function asEntryError<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorEntryError) throw cause
    const { expected = 'a JSON object with kind, apiVersion and spec', found } = cause
    throw new RekorEntryError('REKOR_ENTRY_MALFORMED', `not a log entry: ${cause.message}`, { expected, found, cause })
  }
}
