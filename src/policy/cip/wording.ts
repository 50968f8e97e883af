/** Why an image was refused, in the words of policy-controller. @module */
import { isCodedError } from '#errors'
import type { CodedError } from '#errors'
import { referenceName } from '#formats/oci/reference'
import type { Attestor } from '../internal/attestor.js'
import type { AttestationOutcome, DemandOutcome, RejectedSignature, SignatureOutcome } from '../internal/outcome.js'
import type { ImageFailure, RuleWording } from '../internal/policy.js'

/** Begins with "failed policy", as scripts look for it; the lines below say what is wrong. */
export function clusterImagePolicyWording(policy: string): RuleWording {
  return {
    refused: (failure) => {
      const { occurrence, cause } = failure
      const { text } = occurrence.image
      if (cause.kind === 'digest-missing') return `invalid value: ${text} must be an image digest: ${occurrence.path}`
      const lines = reasons(failure).map((reason) => `${text} ${reason}`)
      return [`failed policy: ${policy}: ${occurrence.path}`, ...lines].join('\n')
    },
  }
}

function reasons({ occurrence, pinned, cause }: ImageFailure): readonly string[] {
  const { reference } = occurrence.image
  const name =
    pinned === undefined
      ? referenceName(reference)
      : `${pinned.repository.registry}/${pinned.repository.repository}@${pinned.digest}`
  if (cause.kind === 'error' || cause.kind === 'conclusion') return [told(cause, cause.kind === 'conclusion')]
  if (cause.kind !== 'demand') return ['is not verified: the policy has no authority that could']
  return demandReasons(cause.outcome, name)
}

function told({ error }: { readonly error: Error }, conclusion: boolean): string {
  return conclusion ? policyRefusal(error, 'ClusterImagePolicy') : sentence(error)
}

/** Of CUE: `failed evaluating cue policy for <what>: failed to evaluate the policy with error: <why>`; of Rego its own words. */
function policyRefusal(error: Error, what: string): string {
  const why = sentence(error)
  if (isCodedError(error) && (error.code.startsWith('REGO_') || error.code === 'POLICY_NOT_COMPLIANT'))
    return `failed evaluating rego policy for type ${what}: ${why}`
  if (isCodedError(error) && error.code.startsWith('CUE_'))
    return `failed evaluating cue policy for ${what}: failed to evaluate the policy with error: ${why}`
  return `failed evaluating policy for ${what}: ${why}`
}

/** The authorities that were not met; of several attestations only those that were not. */
function demandReasons(outcome: DemandOutcome, image: string): readonly string[] {
  if (outcome.met) return []
  if ('of' in outcome) {
    if (outcome.of.length === 0) return ['no authority is named that could have signed: an empty policy admits nothing']
    return outcome.of.flatMap((each) => demandReasons(each, image))
  }
  if (!('accepted' in outcome)) return [`disallowed by static policy: ${outcome.demand.message}`]
  const { attestor } = outcome.demand
  const isSignature = outcome.demand.kind === 'signature'
  const kind = attestor.evidence.timestamp === 'required' ? 'TSA' : attestor.signer.kind === 'key' ? 'key' : 'keyless'
  const why = isSignature
    ? signatureReason(outcome as SignatureOutcome)
    : attestationReason(outcome as AttestationOutcome)
  const what = isSignature ? 'signature' : 'attestation'
  return [`${what} ${kind} validation failed for authority ${attestor.name} for ${image}: ${why}`]
}

function signatureReason({ problem, rejected, demand }: SignatureOutcome): string {
  if (problem !== undefined) return sentence(problem)
  if (rejected.length === 0) return 'no signatures found'
  return `no matching signatures: ${[...new Set(rejected.map((each) => rejectionText(each, demand.attestor)))].slice(0, 5).join('; ')}`
}

function attestationReason({ problem, rejected, otherTypes, demand }: AttestationOutcome): string {
  if (problem !== undefined && /^(?:CUE|REGO|POLICY_PREDICATE|POLICY_NOT_COMPLIANT|POLICY_TEXT)/.test(problem.code)) {
    return policyRefusal(problem, demand.name)
  }
  if (problem !== undefined) return sentence(problem)
  const others =
    otherTypes.length === 0 ? '' : `, checked the following predicateTypes: ${otherTypes.slice(0, 10).join(', ')}`
  if (rejected.length === 0) return `no matching attestations with type ${demand.predicateType}${others}`
  const why = [...new Set(rejected.map((each) => rejectionText(each, demand.attestor)))].slice(0, 5)
  return `no matching attestations: ${why.join('; ')}${others}`
}

const COSIGN_TEXTS: ReadonlyMap<string, string> = new Map([
  ['VERIFY_LOG_THRESHOLD', 'signature not found in transparency log'],
  ['VERIFY_SIGNATURE', 'invalid signature'],
])

function rejectionText({ error, seen }: RejectedSignature, attestor: Attestor): string {
  if (error.code === 'VERIFY_IDENTITY' && attestor.signer.kind === 'keyless') {
    const got =
      seen === undefined
        ? sentence(error)
        : `got subjects [${seen.subjects.join(' ')}] with issuer ${seen.issuer ?? ''}`
    return `none of the expected identities matched what was in the certificate, ${got}`
  }
  const known = COSIGN_TEXTS.get(error.code)
  return known === undefined ? sentence(error) : `${known}: ${sentence(error)}`
}

/** An error with what was expected and found, in one line. */
function sentence(error: Error | CodedError): string {
  if (!isCodedError(error)) return error.message
  const { message, expected, found } = error
  const detail = [expected === undefined ? '' : `expected ${expected}`, found === undefined ? '' : `found ${found}`]
  const told = detail.filter((text) => text !== '').join(', ')
  return told === '' ? message : `${message} (${told})`
}
