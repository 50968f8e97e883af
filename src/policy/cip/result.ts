/** What the policy of a whole ClusterImagePolicy is shown: who matched, and what it asked to be told of the resource. @module */
import type { JsonObject } from '#encoding/json'
import type { AcceptedSignature, AttestationOutcome, DemandOutcome } from '../internal/outcome.js'
import type { ConclusionInput } from '../internal/policy.js'
import { podSpec } from '../internal/pod-images.js'

/** What else goes in. */
export interface Includes {
  readonly configFile: boolean
  readonly spec: boolean
  readonly objectMeta: boolean
  readonly typeMeta: boolean
}

/** The input, in the shape of policy-controller's PolicyResult: authorities by name, empty things left out. */
export async function policyResult(input: ConclusionInput, includes: Includes): Promise<JsonObject> {
  const { review, outcome } = input
  const matches = authorityMatches(outcome)
  const { object, kind } = review
  const spec = podSpec(kind.kind, object)?.spec
  const { metadata } = object
  return {
    ...(Object.keys(matches).length > 0 && { authorityMatches: matches }),
    ...(includes.configFile && { config: Object.fromEntries(await input.configs()) }),
    ...(includes.spec && spec !== undefined && { spec }),
    ...(includes.objectMeta && metadata !== undefined && { metadata }),
    ...(includes.typeMeta && { typemeta: typeMeta(review) }),
  }
}

function typeMeta({ kind: { group, version, kind } }: ConclusionInput['review']): JsonObject {
  return { kind, apiVersion: group === '' ? version : `${group}/${version}` }
}

function authorityMatches(outcome: DemandOutcome): JsonObject {
  // Outermost is the "any of the authorities"; a policy without authorities has none.
  if (!('of' in outcome)) return {}
  return Object.fromEntries(
    outcome.of.filter(({ met }) => met).map((authority) => [nameOf(authority), authorityMatch(authority)]),
  )
}

function nameOf({ demand }: DemandOutcome): string {
  return demand.kind === 'count' || demand.kind === 'static' ? demand.name : demand.attestor.name
}

function authorityMatch(outcome: DemandOutcome): JsonObject {
  if ('of' in outcome) {
    const attestations = outcome.of.filter((each): each is AttestationOutcome => each.demand.kind === 'attestation')
    const entries = attestations.map(({ demand, accepted }) => [
      demand.name,
      accepted.map((each) => ({ ...signatureJson(each), predicateType: demand.predicateType })),
    ])
    return { attestations: Object.fromEntries(entries) as JsonObject }
  }
  if (!('accepted' in outcome)) return { static: true }
  return { signatures: outcome.accepted.map(signatureJson) }
}

function signatureJson({ id, verified: { signer } }: AcceptedSignature): JsonObject {
  if (signer.kind === 'key') return { id }
  const { subjects, issuer, claims } = signer.identity
  const facts: Record<string, string | undefined> = {
    subject: subjects[0]?.value,
    issuer,
    githubWorkflowTrigger: claims.githubWorkflowTrigger,
    githubWorkflowSha: claims.githubWorkflowSha,
    githubWorkflowName: claims.githubWorkflowName,
    githubWorkflowRepo: claims.githubWorkflowRepository,
    githubWorkflowRef: claims.githubWorkflowRef,
  }
  const present = Object.entries(facts).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  return { id, ...Object.fromEntries(present) }
}
