/** Bodies of Rekor v2 entries: hashedrekord 0.0.2, and dsse 0.0.2 of older logs. @module */
import type { Algorithm } from '#crypto/algorithms'
import { KEY_DETAILS_NUMBERS } from '#crypto/algorithms'
import { encodeBase64 } from '#encoding/base64'
import { compareBytes } from '#encoding/bytes'
import { canonicalize } from '#encoding/jcs'
import type { JsonObject, JsonValue } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { encodeUtf8 } from '#encoding/utf8'
import { HASH_ALGORITHMS, digestNameFromProto, protoHashAlgorithm } from '../hash-algorithm.js'
import { entryDigest } from './entry-digest.js'
import type { EntryBody, EntryDigest, EntrySignature, EntryVerifier } from './model.js'
import { RekorEntryError } from './rekor-entry-error.js'

/** `spec` of a hashedrekord 0.0.2 entry. */
export function parseHashedRekordV2(spec: JsonValue, path: string): EntryBody {
  return readMessage(spec, path, { names: ['hashedRekordV002'] }).message(
    'hashedRekordV002',
    (value, at): EntryBody => {
      const reader = readMessage(value, at, { names: ['data', 'signature'] })
      return {
        kind: 'hashedrekord',
        version: '0.0.2',
        digest: reader.message('data', parseHashOutput),
        signatures: [reader.message('signature', parseSignatureV2)],
      }
    },
  )
}

/** `spec` of a dsse 0.0.2 entry. */
export function parseDsseV2(spec: JsonValue, path: string): EntryBody {
  return readMessage(spec, path, { names: ['dsseV002'] }).message('dsseV002', (value, at): EntryBody => {
    const reader = readMessage(value, at, { names: ['payloadHash', 'signatures'] })
    const signatures = reader.list('signatures', parseSignatureV2)
    if (signatures.length === 0) {
      throw new RekorEntryError('REKOR_ENTRY_MALFORMED', `${at} has no signatures`, {
        expected: 'at least one signature',
      })
    }
    return { kind: 'dsse', version: '0.0.2', payloadHash: reader.message('payloadHash', parseHashOutput), signatures }
  })
}

/** Reads `{content, verifier}` of a protobuf `Signature`. */
export function parseSignatureV2(value: JsonValue, path: string): EntrySignature {
  const reader = readMessage(value, path, { names: ['content', 'verifier'] })
  const { verifier, keyDetails } = reader.message('verifier', parseVerifierV2)
  return { signature: reader.bytes('content'), verifier, keyDetails }
}

/** Reads a protobuf `Verifier`: key or certificate, and the algorithm. */
export function parseVerifierV2(value: JsonValue, path: string): { verifier: EntryVerifier; keyDetails: string } {
  const reader = readMessage(value, path, { names: ['publicKey', 'x509Certificate', 'keyDetails'] })
  const keyDetails = reader.optionalEnum('keyDetails', KEY_DETAILS_NUMBERS)
  const which = reader.oneof('publicKey', 'x509Certificate')
  if (which === undefined || keyDetails === undefined) {
    throw new RekorEntryError('REKOR_ENTRY_VERIFIER', `${path} does not say with what the signature is to be checked`, {
      expected: 'publicKey or x509Certificate, and keyDetails',
    })
  }
  const der = reader.message(which, (inner, at) => readMessage(inner, at, { names: ['rawBytes'] }).bytes('rawBytes'))
  const verifier: EntryVerifier =
    which === 'publicKey' ? { kind: 'public-key', spki: der } : { kind: 'certificate', certificate: der, chain: [] }
  return { verifier, keyDetails }
}

function parseHashOutput(value: JsonValue, path: string): EntryDigest {
  const reader = readMessage(value, path, { names: ['algorithm', 'digest'] })
  const algorithm = reader.optionalEnum('algorithm', HASH_ALGORITHMS)
  return entryDigest(
    algorithm === undefined ? undefined : (digestNameFromProto(algorithm) ?? algorithm),
    reader.bytes('digest'),
  )
}

/** A signature as Rekor v2 wants it: with its algorithm. */
export interface SignatureV2 {
  readonly signature: Uint8Array
  readonly verifier: EntryVerifier
  readonly algorithm: Algorithm
}

/** What the body of a hashedrekord 0.0.2 entry is made from. */
export interface HashedRekordV2 extends SignatureV2 {
  readonly digest: EntryDigest
}

/**
 * The canonical body of a hashedrekord 0.0.2 entry. It follows from what is signed, by whom and how,
 * so a verifier can make it without having been given it.
 */
export function encodeHashedRekordV2(entry: HashedRekordV2): Uint8Array {
  const data = hashOutputJson(entry.digest)
  const hashedRekordV002 = { data, signature: signatureV2Json(entry) }
  return encodeUtf8(canonicalize({ apiVersion: '0.0.2', kind: 'hashedrekord', spec: { hashedRekordV002 } }))
}

/** The canonical body of a dsse 0.0.2 entry. Signatures are sorted by their bytes. */
export function encodeDsseV2(entry: { payloadHash: EntryDigest; signatures: readonly SignatureV2[] }): Uint8Array {
  const sorted = [...entry.signatures].sort((a, b) => compareBytes(a.signature, b.signature))
  const dsseV002 = {
    payloadHash: hashOutputJson(entry.payloadHash),
    signatures: sorted.map((each) => signatureV2Json(each)),
  }
  return encodeUtf8(canonicalize({ apiVersion: '0.0.2', kind: 'dsse', spec: { dsseV002 } }))
}

/** Protobuf JSON of a `Signature`; of a certificate chain only the leaf is logged. */
export function signatureV2Json({ signature, verifier, algorithm }: SignatureV2): JsonObject {
  const der = verifier.kind === 'public-key' ? verifier.spki : verifier.certificate
  const field = verifier.kind === 'public-key' ? 'publicKey' : 'x509Certificate'
  return {
    content: encodeBase64(signature),
    verifier: { [field]: { rawBytes: encodeBase64(der) }, keyDetails: algorithm.keyDetails },
  }
}

function hashOutputJson({ algorithm, value }: EntryDigest): JsonObject {
  return { algorithm: protoHashAlgorithm(algorithm), digest: encodeBase64(value) }
}
