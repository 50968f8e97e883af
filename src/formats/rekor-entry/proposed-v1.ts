/** What clients ask a Rekor v1 to log, read as its server reads it. @module */
import { decodeBase64, decodeBase64Any } from '#encoding/base64'
import type { JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import type { ProtoReader } from '#encoding/protojson'
import { readMessage } from '#encoding/protojson'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { DsseEnvelope } from '../dsse/envelope.js'
import { parseEnvelope } from '../dsse/envelope.js'
import type { IntotoSignature } from './body-v1.js'
import { parseHash, parseHashedRekordV1 } from './body-v1.js'
import type { EntryDigest, EntryVerifier, HashedRekordBody } from './model.js'
import { RekorEntryError } from './rekor-entry-error.js'
import { verifierFromPem } from './verifier-pem.js'

/** A dsse 0.0.1 proposal: each signature of the envelope must verify with one of the verifiers. */
export interface ProposedDsse {
  readonly kind: 'dsse'
  readonly version: '0.0.1'
  /** Its `source` is the exact text that was sent, whose hash is logged. */
  readonly envelope: DsseEnvelope
  readonly verifiers: readonly EntryVerifier[]
}

/** An intoto 0.0.2 proposal: each signature comes with its own key. */
export interface ProposedIntoto {
  readonly kind: 'intoto'
  readonly version: '0.0.2'
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signatures: readonly IntotoSignature[]
  /** What the client says the envelope's hash is; the log passes it on unchecked. */
  readonly hash: EntryDigest
}

/** A proposal for Rekor v1, of the kinds that are supported. */
export type ProposedEntryV1 = (HashedRekordBody & { readonly version: '0.0.1' }) | ProposedDsse | ProposedIntoto

const MAX_VERIFIERS = 10

const PARSERS: ReadonlyMap<string, (spec: JsonValue) => ProposedEntryV1> = new Map<
  string,
  (spec: JsonValue) => ProposedEntryV1
>([
  ['hashedrekord 0.0.1', (spec) => ({ ...parseHashedRekordV1(spec, 'spec'), version: '0.0.1' })],
  ['dsse 0.0.1', parseProposedDsse],
  ['intoto 0.0.2', parseProposedIntoto],
])

/**
 * Reads the body of a request to log an entry. Signatures are not verified.
 * @throws RekorEntryError `REKOR_ENTRY_KIND` for kinds that are not supported, and its other codes
 */
export function parseProposedEntryV1(source: string | Uint8Array): ProposedEntryV1 {
  try {
    return proposedEntryV1FromJson(parseJson(source))
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorEntryError) throw cause
    const { expected, found } = cause
    throw new RekorEntryError('REKOR_ENTRY_MALFORMED', `not an entry to be logged: ${cause.message}`, {
      expected,
      found,
      cause,
    })
  }
}

/** The same from a JSON value, which the search endpoint takes many of. */
export function proposedEntryV1FromJson(value: JsonValue): ProposedEntryV1 {
  const reader = message(value, '', ['apiVersion', 'kind', 'spec'])
  const name = `${reader.string('kind')} ${reader.string('apiVersion')}`
  const parse = PARSERS.get(name)
  if (parse !== undefined) return parse(reader.value('spec') ?? null)
  throw new RekorEntryError('REKOR_ENTRY_KIND', 'entries of this kind are not logged here', {
    expected: [...PARSERS.keys()].join(', '),
    found: name.slice(0, 80),
  })
}

function parseProposedDsse(spec: JsonValue): ProposedDsse {
  const reader = readMessage(spec, 'spec', { names: ['proposedContent', ...COMPUTED_BY_LOG] })
  checkNothingComputed(reader)
  const content = reader.message('proposedContent', (value, at) => message(value, at, ['envelope', 'verifiers']))
  const verifiers = content.list('verifiers', (pem, at) => {
    const bytes = message({ pem }, at, ['pem']).bytes('pem')
    return verifierFromPem(bytes)
  })
  if (verifiers.length === 0 || verifiers.length > MAX_VERIFIERS) {
    throw new RekorEntryError('REKOR_ENTRY_VERIFIER', 'the proposal does not name the keys of its envelope', {
      expected: `1 to ${String(MAX_VERIFIERS)} verifiers`,
      found: String(verifiers.length),
    })
  }
  return { kind: 'dsse', version: '0.0.1', envelope: parseEnvelope(content.string('envelope')), verifiers }
}

/** Go clients send these along, as null. */
const COMPUTED_BY_LOG = ['envelopeHash', 'payloadHash', 'signatures'] as const

/** What the log computes may not be dictated to it. */
function checkNothingComputed(reader: ProtoReader): void {
  const dictated = COMPUTED_BY_LOG.find((name) => {
    const value = reader.value(name)
    return value !== undefined && !(Array.isArray(value) && value.length === 0)
  })
  if (dictated === undefined) return
  throw new RekorEntryError('REKOR_ENTRY_MALFORMED', 'the proposal states what only the log may compute', {
    expected: 'proposedContent alone',
    found: dictated,
  })
}

function parseProposedIntoto(spec: JsonValue): ProposedIntoto {
  const content = message(spec, 'spec', ['content']).message('content', (value, at) =>
    message(value, at, ['envelope', 'hash', 'payloadHash']),
  )
  const envelope = content.message('envelope', (value, at) =>
    message(value, at, ['payload', 'payloadType', 'signatures']),
  )
  const signatures = envelope.list('signatures', (value, at): IntotoSignature => {
    const fields = message(value, at, ['sig', 'publicKey', 'keyid'])
    return {
      signature: decodeBase64Any(decodeUtf8(fields.bytes('sig'))),
      verifier: verifierFromPem(fields.bytes('publicKey')),
      keyId: fields.optionalString('keyid') ?? '',
    }
  })
  if (signatures.length === 0 || signatures.length > MAX_VERIFIERS) {
    throw new RekorEntryError('REKOR_ENTRY_MALFORMED', 'the envelope has no signatures, or too many', {
      expected: `1 to ${String(MAX_VERIFIERS)} signatures`,
      found: String(signatures.length),
    })
  }
  return {
    kind: 'intoto',
    version: '0.0.2',
    payloadType: envelope.string('payloadType'),
    // base64 of base64: Rekor's model takes the text of the envelope's field for bytes.
    payload: decodeBase64(decodeUtf8(envelope.bytes('payload'))),
    signatures,
    hash: content.message('hash', parseHash),
  }
}

/** The reference server ignores fields that it does not know. */
function message(value: JsonValue, path: string, names: readonly string[]): ProtoReader {
  return readMessage(value, path, { names, unknown: 'ignore' })
}
