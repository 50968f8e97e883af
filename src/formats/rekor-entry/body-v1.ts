/** Bodies of Rekor v1 entries: hashedrekord 0.0.1, dsse 0.0.1, intoto 0.0.2. @module */
import { decodeBase64Any, encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import type { JsonValue } from '#encoding/json'
import type { ProtoReader } from '#encoding/protojson'
import { readMessage } from '#encoding/protojson'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { entryDigestFromHex } from './entry-digest.js'
import type { EntryBody, EntryDigest, EntrySignature, EnvelopeBody, HashedRekordBody } from './model.js'
import { RekorEntryError } from './rekor-entry-error.js'
import { verifierFromPem, verifierToPem } from './verifier-pem.js'

/** `spec` of a hashedrekord 0.0.1 entry. */
export function parseHashedRekordV1(spec: JsonValue, path: string): HashedRekordBody {
  const reader = message(spec, path, ['data', 'signature'])
  const digest = reader.message('data', (data, at) => message(data, at, ['hash']).message('hash', parseHash))
  const signature = reader.message('signature', (value, at): EntrySignature => {
    const fields = message(value, at, ['content', 'publicKey'])
    const pem = fields.message('publicKey', (key, keyAt) => message(key, keyAt, ['content']).bytes('content'))
    return { signature: fields.bytes('content'), verifier: verifierFromPem(pem) }
  })
  return { kind: 'hashedrekord', version: '0.0.1', digest, signatures: [signature] }
}

/** `spec` of a dsse 0.0.1 entry as it stands in the log. */
export function parseDsseV1(spec: JsonValue, path: string): EntryBody {
  const reader = message(spec, path, ['envelopeHash', 'payloadHash', 'signatures', 'proposedContent'])
  const signatures = reader.list('signatures', (value, at): EntrySignature => {
    const fields = message(value, at, ['signature', 'verifier'])
    return { signature: fields.bytes('signature'), verifier: verifierFromPem(fields.bytes('verifier')) }
  })
  return {
    kind: 'dsse',
    version: '0.0.1',
    payloadHash: reader.message('payloadHash', parseHash),
    envelopeHash: reader.message('envelopeHash', parseHash),
    signatures: nonEmpty(signatures, path),
  }
}

/** `spec` of an intoto 0.0.2 entry as it stands in the log: signatures are base64 of base64. */
export function parseIntotoV2(spec: JsonValue, path: string): EntryBody {
  return message(spec, path, ['content']).message('content', (content, contentPath): EnvelopeBody => {
    const reader = message(content, contentPath, ['envelope', 'hash', 'payloadHash'])
    const signatures = reader.message('envelope', (envelope, at) =>
      message(envelope, at, ['payloadType', 'signatures']).list('signatures', parseIntotoSignature),
    )
    return {
      kind: 'intoto',
      version: '0.0.2',
      payloadHash: reader.message('payloadHash', parseHash),
      envelopeHash: reader.optionalMessage('hash', parseHash),
      signatures: nonEmpty(signatures, contentPath),
    }
  })
}

function parseIntotoSignature(value: JsonValue, path: string): EntrySignature {
  const fields = message(value, path, ['sig', 'publicKey', 'keyid'])
  const signature = decodeBase64Any(decodeUtf8(fields.bytes('sig')))
  return { signature, verifier: verifierFromPem(fields.bytes('publicKey')) }
}

/** What a body of Rekor v1 is made from. */
export interface HashedRekordV1 {
  readonly digest: EntryDigest
  readonly signature: EntrySignature
}

/** The canonical body of a hashedrekord 0.0.1 entry: what the leaf hash is over. */
export function encodeHashedRekordV1(entry: HashedRekordV1): Uint8Array {
  return canonicalBody({ apiVersion: '0.0.1', kind: 'hashedrekord', spec: hashedRekordV1Spec(entry) })
}

/** The `spec` that is both proposed and logged. */
export function hashedRekordV1Spec({ digest, signature }: HashedRekordV1): JsonValue {
  return {
    data: { hash: hashJson(digest) },
    signature: { content: encodeBase64(signature.signature), publicKey: { content: pemBase64(signature) } },
  }
}

/** The canonical body of a dsse 0.0.1 entry. Signatures are sorted by their base64 text. */
export function encodeDsseV1(entry: {
  readonly envelopeHash: EntryDigest
  readonly payloadHash: EntryDigest
  readonly signatures: readonly EntrySignature[]
}): Uint8Array {
  const signatures = entry.signatures.map((each) => ({
    signature: encodeBase64(each.signature),
    verifier: pemBase64(each),
  }))
  signatures.sort((a, b) => (a.signature < b.signature ? -1 : a.signature > b.signature ? 1 : 0))
  const spec = { envelopeHash: hashJson(entry.envelopeHash), payloadHash: hashJson(entry.payloadHash), signatures }
  return canonicalBody({ apiVersion: '0.0.1', kind: 'dsse', spec })
}

/** A signature of an intoto entry; the order of the envelope is kept. */
export interface IntotoSignature extends EntrySignature {
  readonly keyId: string
}

/** The canonical body of an intoto 0.0.2 entry; `hash` is what the client stated. */
export function encodeIntotoV2(entry: {
  readonly payloadType: string
  readonly hash: EntryDigest
  readonly payloadHash: EntryDigest
  readonly signatures: readonly IntotoSignature[]
}): Uint8Array {
  const signatures = entry.signatures.map((each) => intotoSignatureJson(each))
  const content = {
    envelope: { payloadType: entry.payloadType, signatures },
    hash: hashJson(entry.hash),
    payloadHash: hashJson(entry.payloadHash),
  }
  return canonicalBody({ apiVersion: '0.0.2', kind: 'intoto', spec: { content } })
}

/** One signature of an intoto envelope, in its twice encoded form. */
export function intotoSignatureJson(each: IntotoSignature): JsonValue {
  const keyid = each.keyId === '' ? {} : { keyid: each.keyId }
  return { ...keyid, publicKey: pemBase64(each), sig: encodeBase64(encodeUtf8(encodeBase64(each.signature))) }
}

/** `{algorithm, value}` with a hexadecimal value. */
export function hashJson({ algorithm, value }: EntryDigest): JsonValue {
  return { algorithm, value: encodeHex(value) }
}

/** Reads `{algorithm, value}`. */
export function parseHash(value: JsonValue, path: string): EntryDigest {
  const reader = message(value, path, ['algorithm', 'value'])
  return entryDigestFromHex(reader.string('algorithm'), reader.string('value'))
}

function pemBase64({ verifier }: EntrySignature): string {
  return encodeBase64(encodeUtf8(verifierToPem(verifier)))
}

function canonicalBody(body: JsonValue): Uint8Array {
  return encodeUtf8(canonicalize(body))
}

function nonEmpty(signatures: readonly EntrySignature[], path: string): readonly EntrySignature[] {
  if (signatures.length > 0) return signatures
  throw new RekorEntryError('REKOR_ENTRY_MALFORMED', `${path} has no signatures`, {
    expected: 'at least one signature',
  })
}

/** Rekor's own reader ignores fields that it does not know. */
function message(value: JsonValue, path: string, names: readonly string[]): ProtoReader {
  return readMessage(value, path, { names, unknown: 'ignore' })
}
