/** What may be asked of a Rekor v2: hashedrekord, and dsse for the clients that still send it. @module */
import type { Algorithm } from '#crypto/algorithms'
import { algorithmByKeyDetails } from '#crypto/algorithms'
import { isJsonObject, parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { isCodedError } from '#errors'
import { envelopeFromJson } from '#formats/dsse/envelope'
import type { DsseEnvelope } from '#formats/dsse/envelope'
import { DsseError } from '#formats/dsse/dsse-error'
import { parseVerifierV2 } from '#formats/rekor-entry/body-v2'
import type { HashedRekordV2 } from '#formats/rekor-entry/body-v2'
import { parseCreateEntryRequestV2 } from '#formats/rekor-entry/create-request-v2'
import type { EntryVerifier } from '#formats/rekor-entry/model'
import { RekorEntryError } from '#formats/rekor-entry/rekor-entry-error'

/** Who is said to have signed, and how. */
export interface StatedVerifier {
  readonly verifier: EntryVerifier
  readonly algorithm: Algorithm
}

/**
 * A dsse 0.0.2 request. The reference dropped these in v2.3.0, after cosign 3 had been released with them; its entries
 * hold no payload, so they cost a log no more than others do.
 */
export interface DsseRequest {
  readonly kind: 'dsse'
  readonly envelope: DsseEnvelope
  readonly verifiers: readonly StatedVerifier[]
}

export type CreateRequest = (HashedRekordV2 & { readonly kind: 'hashedrekord' }) | DsseRequest

const MAX_PARTS = 10

/**
 * Reads the body of a request to log an entry. Unknown fields are refused. Signatures are not verified.
 * @throws RekorEntryError, DsseError
 */
export function parseCreateRequest(source: Uint8Array): CreateRequest {
  const dsse = dsseRequestOf(source)
  if (dsse === undefined) return { kind: 'hashedrekord', ...parseCreateEntryRequestV2(source) }
  try {
    return parseDsseRequest(dsse)
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorEntryError || cause instanceof DsseError) throw cause
    throw malformed(`not an entry to be logged: ${cause.message}`, cause.found, cause)
  }
}

/** The dsse request, if it is one and nothing else. What is not JSON is left to the other reader to refuse. */
function dsseRequestOf(source: Uint8Array): JsonValue | undefined {
  let value: JsonValue
  try {
    value = parseJson(source)
  } catch {
    return undefined
  }
  if (!isJsonObject(value) || Object.keys(value).length !== 1) return undefined
  return value['dsseRequestV002'] ?? value['dsse_request_v002']
}

function parseDsseRequest(value: JsonValue): DsseRequest {
  const reader = readMessage(value, 'dsseRequestV002', { names: ['envelope', 'verifiers'] })
  const envelope = reader.message('envelope', (inner, at) => {
    // Protobuf's rules on top of DSSE's own: no field that is not known.
    readMessage(inner, at, { names: ['payload', 'payloadType', 'signatures'] }).list('signatures', (signature, path) =>
      readMessage(signature, path, { names: ['sig', 'keyid'] }),
    )
    return envelopeFromJson(inner)
  })
  const verifiers = reader.list('verifiers', parseStatedVerifier)
  checkCount('signatures', envelope.signatures.length)
  checkCount('verifiers', verifiers.length)
  return { kind: 'dsse', envelope, verifiers }
}

function parseStatedVerifier(value: JsonValue, path: string): StatedVerifier {
  const { verifier, keyDetails } = parseVerifierV2(value, path)
  const algorithm = algorithmByKeyDetails(keyDetails)
  if (algorithm !== undefined) return { verifier, algorithm }
  throw new RekorEntryError('REKOR_ENTRY_VERIFIER', 'the signature algorithm is not known', { found: keyDetails })
}

function checkCount(what: string, count: number): void {
  if (count > 0 && count <= MAX_PARTS) return
  throw malformed(`the request has no ${what}, or too many`, String(count))
}

function malformed(message: string, found?: string, cause?: unknown): RekorEntryError {
  return new RekorEntryError('REKOR_ENTRY_MALFORMED', message, { found, cause })
}
