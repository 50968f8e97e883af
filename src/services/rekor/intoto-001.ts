/** intoto 0.0.1: an envelope with one key, which cosign 2 sends when it is asked for intoto entries. @module */
import { sha256 } from '#crypto/digest'
import { encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import { isJsonObject, parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseEnvelope } from '#formats/dsse/envelope'
import type { DsseEnvelope } from '#formats/dsse/envelope'
import { DsseError } from '#formats/dsse/dsse-error'
import type { EntryVerifier } from '#formats/rekor-entry/model'
import { parseProposedEntryV1, proposedEntryV1FromJson } from '#formats/rekor-entry/proposed-v1'
import type { ProposedEntryV1 } from '#formats/rekor-entry/proposed-v1'
import { RekorEntryError } from '#formats/rekor-entry/rekor-entry-error'
import { verifierFromPem, verifierToPem } from '#formats/rekor-entry/verifier-pem'

/** An intoto 0.0.1 proposal: every signature has to be by this key. */
export interface ProposedIntoto001 {
  readonly kind: 'intoto-0.0.1'
  readonly envelope: DsseEnvelope
  /** The exact text of the envelope, whose hash is logged. */
  readonly source: Uint8Array
  readonly verifier: EntryVerifier
}

/** Whatever this log takes. */
export type Proposal = ProposedEntryV1 | ProposedIntoto001

/** Reads a proposal of any kind. @throws RekorEntryError, DsseError */
export function parseProposal(source: Uint8Array): Proposal {
  const value = intoto001Of(source)
  return value === undefined ? parseProposedEntryV1(source) : parseIntoto001(value)
}

/** The same from a JSON value. */
export function proposalFromJson(value: JsonValue): Proposal {
  return isIntoto001(value) ? parseIntoto001(value) : proposedEntryV1FromJson(value)
}

/** The canonical body: two hashes and the key. */
export function encodeIntoto001({ source, envelope, verifier }: ProposedIntoto001): Uint8Array {
  const hash = (bytes: Uint8Array): JsonValue => ({ algorithm: 'sha256', value: encodeHex(sha256(bytes)) })
  const spec = {
    content: { hash: hash(source), payloadHash: hash(envelope.payload) },
    publicKey: encodeBase64(encodeUtf8(verifierToPem(verifier))),
  }
  return encodeUtf8(canonicalize({ apiVersion: '0.0.1', kind: 'intoto', spec }))
}

/** The SHA-256 of the payload that an intoto entry of either version is about, in hexadecimal. */
export function payloadHashOf(body: Uint8Array): string | undefined {
  let at: JsonValue | undefined = parseJson(body)
  for (const name of ['spec', 'content', 'payloadHash', 'value']) at = isJsonObject(at) ? at[name] : undefined
  return typeof at === 'string' && /^[0-9a-f]{64}$/.test(at) ? at : undefined
}

function intoto001Of(source: Uint8Array): JsonValue | undefined {
  try {
    const value = parseJson(source)
    return isIntoto001(value) ? value : undefined
  } catch (error) {
    if (isCodedError(error)) return undefined // for the other reader to refuse
    throw error
  }
}

function isIntoto001(value: JsonValue): boolean {
  return isJsonObject(value) && value['kind'] === 'intoto' && value['apiVersion'] === '0.0.1'
}

function parseIntoto001(value: JsonValue): ProposedIntoto001 {
  try {
    const spec = readMessage(value, '', { names: ['apiVersion', 'kind', 'spec'], unknown: 'ignore' }).message(
      'spec',
      (inner, at) => readMessage(inner, at, { names: ['content', 'publicKey'], unknown: 'ignore' }),
    )
    const content = spec.message('content', (inner, at) =>
      readMessage(inner, at, { names: ['envelope'], unknown: 'ignore' }),
    )
    const source = encodeUtf8(content.string('envelope'))
    return {
      kind: 'intoto-0.0.1',
      source,
      envelope: parseEnvelope(source),
      verifier: verifierFromPem(spec.bytes('publicKey')),
    }
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorEntryError || cause instanceof DsseError) throw cause
    const { expected, found, message } = cause
    throw new RekorEntryError('REKOR_ENTRY_MALFORMED', `not an entry to be logged: ${message}`, {
      expected,
      found,
      cause,
    })
  }
}
