/** Image validating policies in a few words, and their verdicts, for tests. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { evaluate } from '#policy/engine/evaluate'
import type { EnginePorts } from '#policy/engine/ports'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { deadlineOf } from '#policy/internal/deadline'
import type { CompiledException } from '#policy/internal/exception'
import type { CompiledPolicy } from '#policy/internal/policy'
import type { Review } from '#policy/internal/review'
import { compileImageValidatingPolicy } from '#policy/ivpol/compile'

/** Pods, when they are created or changed. */
export const PODS: JsonValue = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] }],
}

export interface PolicyText {
  readonly kind?: string
  readonly name?: string
  readonly namespace?: string
  readonly spec: JsonObject
}

/** A document of a policy; what is not said is about pods, and about images of `ghcr.io/acme`. */
export function policyDocument({
  kind = 'ImageValidatingPolicy',
  name = 'test',
  namespace,
  spec,
}: PolicyText): JsonObject {
  return {
    apiVersion: 'policies.kyverno.io/v1',
    kind,
    metadata: { name, ...(namespace !== undefined && { namespace }) },
    spec: {
      matchConstraints: PODS,
      matchImageReferences: [{ glob: 'ghcr.io/acme/*' }],
      attestors: [],
      validations: [{ expression: 'true' }],
      ...spec,
    },
  }
}

export async function policyOf(text: PolicyText): Promise<CompiledPolicy> {
  return await compileImageValidatingPolicy(policyDocument(text))
}

export interface Judging {
  readonly ports: EnginePorts
  readonly exceptions?: readonly CompiledException[]
  readonly digestsMustStand?: boolean
}

export async function judged(
  policies: readonly CompiledPolicy[],
  review: Review,
  { ports, exceptions = [], digestsMustStand = false }: Judging,
): Promise<ReviewVerdict> {
  const deadline = deadlineOf(AbortSignal.timeout(30_000))
  return await evaluate({ policies, exceptions, review, ports, deadline, digestsMustStand, unmatched: 'allow' })
}
