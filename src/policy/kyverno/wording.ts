/** Why an image was refused, in Kyverno's words. @module */
import { isCodedError } from '#errors'
import type { Attestor, IdentityMatch } from '../internal/attestor.js'
import type { AttestationDemand } from '../internal/demand.js'
import type {
  AttestationOutcome,
  CountOutcome,
  DemandOutcome,
  RejectedSignature,
  SignatureOutcome,
} from '../internal/outcome.js'
import type { ImageFailure, RuleWording } from '../internal/policy.js'
import { describeMatch, matchesText } from '../internal/text-match.js'
import { imageText } from './image-name.js'

/** Texts of one rule. */
export function kyvernoWording(policy: string, rule: string): RuleWording {
  return {
    refused: (failure) => refusal(failure),
    skipped: (occurrence) => {
      return `skipping image reference image ${imageText(occurrence)}, policy ${policy} ruleName ${rule}`
    },
    warned: (message) => `policy ${policy}.${rule}: ${message}`,
  }
}

function refusal({ occurrence, cause }: ImageFailure): string {
  const image = imageText(occurrence)
  if (cause.kind === 'digest-missing') return `missing digest for ${image}`
  if (cause.kind === 'unverified') return `unverified image ${image}`
  if (cause.kind === 'conclusion') return `validation in verifyImages failed: ${sentence(cause.error)}`
  if (cause.kind === 'plan') return sentence(cause.error)
  if (cause.kind === 'error') return `failed to verify image ${image}: ${sentence(cause.error)}`
  return demandRefusal(cause.outcome, image)
}

/** Attestors come first, then attestations; the first that is not satisfied is told. */
function demandRefusal(outcome: DemandOutcome, image: string): string {
  const parts = 'of' in outcome && outcome.demand.name === '' ? outcome.of : [outcome]
  const unmet = parts.find(({ met }) => !met) ?? outcome
  const { demand } = unmet
  if (demand.kind === 'count' && demand.name.startsWith('.attestations[')) return attestationRefusal(unmet)
  if (demand.kind !== 'static') return `failed to verify image ${image}: ${reasons(unmet).join('; ')}`
  if (demand.name.startsWith('.attestations[')) return `${demand.name}: ${demand.message}`
  return `failed to verify image ${image}: ${[demand.name, demand.message].filter((text) => text !== '').join(': ')}`
}

function attestationRefusal(outcome: DemandOutcome): string {
  const sets = 'of' in outcome ? outcome.of : []
  const set = sets.find(({ met }) => !met)
  const { verified, required } = set !== undefined && 'of' in set ? countOf(set) : { verified: 0, required: 1 }
  const why = reasons(set ?? outcome).join('; ')
  const error = why === '' ? 'attestations verification failed' : why
  return `image attestations verification failed, verifiedCount: ${verified}, requiredCount: ${required}, error: ${error}`
}

function countOf({ of, demand }: CountOutcome): { readonly verified: string; readonly required: string } {
  return { verified: String(of.filter(({ met }) => met).length), required: String(demand.required) }
}

/** Of every attestor that did not do: where it stands, and why. */
function reasons(outcome: DemandOutcome): readonly string[] {
  if (outcome.met) return []
  if ('of' in outcome) {
    // Several ways to satisfy one attestor: the first is what the policy names.
    const one = outcome.of.length > 1 && outcome.of.every((each) => nameOf(each) === outcome.demand.name)
    return one ? outcome.of.slice(0, 1).flatMap(reasons) : outcome.of.flatMap(reasons)
  }
  if (!('accepted' in outcome)) return [`${outcome.demand.name}: ${outcome.demand.message}`]
  const { attestor } = outcome.demand
  return [`${attestor.name}: ${leafReason(outcome, attestor)}`]
}

function nameOf({ demand }: DemandOutcome): string | undefined {
  return 'attestor' in demand ? demand.attestor.name : undefined
}

function leafReason(outcome: SignatureOutcome | AttestationOutcome, attestor: Attestor): string {
  const { problem, rejected, demand } = outcome
  if (problem !== undefined) return sentence(problem)
  if (rejected.length > 0) {
    const why = [...new Set(rejected.map((each) => rejection(each, attestor)))].slice(0, 5)
    return why.every(({ length }) => length > 0) && rejected.every(({ error }) => error.code === 'VERIFY_IDENTITY')
      ? why.join('; ')
      : `no matching ${demand.kind === 'signature' ? 'signatures' : 'attestations'}: ${why.join('; ')}`
  }
  if (demand.kind === 'signature') return 'no signatures found'
  return notFound(demand, outcome.otherTypes)
}

/** The original's spelling, which scripts look for. */
function notFound({ predicateType }: AttestationDemand, others: readonly string[]): string {
  const there = others.length === 0 ? '' : `; there are ${[...new Set(others)].slice(0, 10).join(', ')}`
  return `attestions not found for predicate type ${predicateType}${there}`
}

const TEXTS: ReadonlyMap<string, string> = new Map([
  ['VERIFY_LOG_THRESHOLD', 'signature not found in transparency log'],
  ['VERIFY_SIGNATURE', 'invalid signature'],
  ['VERIFY_ANNOTATION', 'no signature matched the required annotations'],
])

function rejection({ error, seen }: RejectedSignature, { signer }: Attestor): string {
  if (error.code === 'VERIFY_IDENTITY' && signer.kind === 'keyless' && seen !== undefined)
    return signer.anyOf.map((identity) => mismatch(identity, seen)).join('; ')
  const known = TEXTS.get(error.code)
  return known === undefined ? sentence(error) : `${known}: ${sentence(error)}`
}

/** The first of the three that differs, as the original compares them. */
function mismatch({ subject, issuer }: IdentityMatch, seen: NonNullable<RejectedSignature['seen']>): string {
  const { subjects, issuer: by = '' } = seen
  const [expected] = subject
  if (expected !== undefined && !subject.some((match) => subjects.some((text) => matchesText(match, text))))
    return `subject mismatch: expected ${written(expected)}, received ${subjects.join(', ')}`
  const other = issuer.find((match) => !matchesText(match, by))
  if (other !== undefined) return `issuer mismatch: expected ${written(other)}, received ${by}`
  return 'extension mismatch: the certificate does not have the additional extensions'
}

function written(match: IdentityMatch['subject'][number]): string {
  if (match.kind === 'wildcard') return match.pattern
  return match.kind === 'pattern' ? match.pattern.source : describeMatch(match)
}

/** An error with what was expected and found, in one line. */
function sentence(error: Error): string {
  if (!isCodedError(error)) return error.message
  const { message, expected, found } = error
  const detail = [expected === undefined ? '' : `expected ${expected}`, found === undefined ? '' : `found ${found}`]
  const told = detail.filter((text) => text !== '').join(', ')
  return told === '' ? message : `${message} (${told})`
}
