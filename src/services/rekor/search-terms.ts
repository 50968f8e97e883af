/** Under which terms an entry is found (sigstore/rekor, IndexKeys of its entry types). All are lower case. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { isJsonObject, parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseEntryBody } from '#formats/rekor-entry/body'
import type { EntryBody, EntryDigest, EntryVerifier } from '#formats/rekor-entry/model'
import { verifierToPem } from '#formats/rekor-entry/verifier-pem'
import type { GeneralName } from '#formats/x509/general-name'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { decodeAnnotation } from './annotation.js'

/** The table key of a term. */
export function searchKey(term: string): Uint8Array {
  return sha256(encodeUtf8(term.toLowerCase()))
}

/** The table keys of a logged entry. An entry of a kind that is not understood has only the terms kept beside it. */
export function entrySearchKeys(body: Uint8Array, annotation: Uint8Array): readonly Uint8Array[] {
  const terms = new Set([...bodyTerms(body), ...decodeAnnotation(annotation).terms].map((term) => term.toLowerCase()))
  return [...terms].map(searchKey)
}

function bodyTerms(body: Uint8Array): readonly string[] {
  try {
    return termsOf(parseEntryBody(body))
  } catch (error) {
    if (!isCodedError(error)) throw error
    return []
  }
}

function termsOf(body: EntryBody): readonly string[] {
  const digests = body.kind === 'hashedrekord' ? [body.digest] : envelopeDigests(body)
  return [...digests.map(digestTerm), ...body.signatures.flatMap(({ verifier }) => verifierTerms(verifier))]
}

/** The hash that an intoto entry gives of its envelope is the client's own invention. */
function envelopeDigests(body: Exclude<EntryBody, { kind: 'hashedrekord' }>): readonly EntryDigest[] {
  const envelope = body.kind === 'dsse' ? body.envelopeHash : undefined
  return envelope === undefined ? [body.payloadHash] : [body.payloadHash, envelope]
}

/**
 * The hash of the key as it stands in the log, and everybody whom a certificate names.
 * The reference server writes the hash with a prefix for some kinds and without for others, and so misses entries.
 */
export function verifierTerms(verifier: EntryVerifier): readonly string[] {
  const hash = keyTerm(verifier)
  if (verifier.kind === 'public-key') return [hash, `sha256:${hash}`]
  const names = parseCertificate(verifier.certificate).subjectAltNames ?? []
  return [hash, `sha256:${hash}`, ...names.map(nameTerm).filter((name) => name !== undefined)]
}

/** The term for a key or certificate: the SHA-256 of its canonical PEM. */
export function keyTerm(verifier: EntryVerifier): string {
  return encodeHex(sha256(encodeUtf8(verifierToPem(verifier))))
}

function nameTerm(name: GeneralName): string | undefined {
  switch (name.kind) {
    case 'email':
    case 'dns':
    case 'uri':
      return name.value
    case 'other':
      return name.text
    case 'ip':
    case 'directory':
    case 'unsupported':
      return undefined
    default:
      return name satisfies never
  }
}

function digestTerm({ algorithm, value }: EntryDigest): string {
  return `${algorithm}:${encodeHex(value)}`
}

/** What an in-toto statement is about: digests of its subjects, and of the materials of old SLSA predicates. */
export function statementTerms(payload: Uint8Array): readonly string[] {
  let statement: JsonValue
  try {
    statement = parseJson(payload)
  } catch (error) {
    if (!isCodedError(error)) throw error
    return []
  }
  if (!isJsonObject(statement)) return []
  const predicate = statement['predicate']
  const materials = isJsonObject(predicate) ? predicate['materials'] : undefined
  return [...new Set([...digestsOf(statement['subject']), ...digestsOf(materials)])]
}

function digestsOf(list: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(list)) return []
  return list.flatMap((item: JsonValue) => {
    const digests = isJsonObject(item) ? item['digest'] : undefined
    if (!isJsonObject(digests)) return []
    return Object.entries(digests).flatMap(([algorithm, value]) =>
      typeof value === 'string' && !/[\n]/.test(algorithm + value) ? [`${algorithm}:${value}`.toLowerCase()] : [],
    )
  })
}
