/** Outcomes in words: whom the policy expects, and who signed. @module */
import { encodeHex } from '#encoding/hex'
import type { Attestor } from '../internal/attestor.js'
import type { Demand } from '../internal/demand.js'
import type { DemandOutcome, SeenSigner } from '../internal/outcome.js'
import { describeIdentity } from '../internal/describe-identity.js'

/** Everybody whom a demand names. */
export function expectedSigners(demand: Demand | undefined): readonly string[] {
  if (demand === undefined || demand.kind === 'static') return []
  if (demand.kind === 'count') {
    const [only] = demand.of
    return demand.of.length === 1 ? expectedSigners(only) : [...new Set(demand.of.flatMap(expectedSigners))]
  }
  return [describeSigner(demand.attestor)]
}

const described = new WeakMap<Attestor, string>()

/** Who signs, in a few words. */
export function describeSigner(attestor: Attestor): string {
  const known = described.get(attestor)
  if (known !== undefined) return known
  const words = signerInWords(attestor)
  described.set(attestor, words)
  return words
}

function signerInWords({ signer }: Attestor): string {
  if (signer.kind === 'keyless') return signer.anyOf.map(describeIdentity).join(', or ')
  if (signer.kind === 'certificate')
    return `certificate of ${(signer.certificate ?? signer.chain[0])?.subject.text ?? ''}`
  const { source } = signer
  if (source.kind === 'inline') return `key ${encodeHex(source.key.id).slice(0, 16)}`
  return source.kind === 'kms' ? `key ${source.uri}` : `key in secret ${source.namespace ?? ''}/${source.name}`
}

/** Everybody whose genuine signature was met with, accepted or not; each once. */
export function seenSigners(outcome: DemandOutcome): readonly SeenSigner[] {
  const all = collect(outcome)
  if (all.length < 2) return all
  return [...new Map(all.map((signer) => [JSON.stringify(signer), signer])).values()]
}

function collect(outcome: DemandOutcome): readonly SeenSigner[] {
  if ('of' in outcome) return outcome.of.flatMap(collect)
  if (!('accepted' in outcome)) return []
  const accepted = outcome.accepted.map(({ verification: { signer } }): SeenSigner => {
    if (signer.kind === 'key') return { subjects: [`key ${encodeHex(signer.key.id).slice(0, 16)}`], issuer: undefined }
    return { subjects: signer.identity.subjects.map(({ value }) => value), issuer: signer.identity.issuer }
  })
  return [...accepted, ...outcome.rejected.flatMap(({ seen }) => seen ?? [])]
}

/** Warnings of judgements that accepted. */
export function outcomeWarnings(outcome: DemandOutcome): readonly string[] {
  if ('of' in outcome) return outcome.of.flatMap(outcomeWarnings)
  return 'warnings' in outcome ? outcome.warnings : []
}
