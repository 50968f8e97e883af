/** Kyverno's policies for tests: written short, compiled, and asked. @module */
import type { JsonObject } from '#encoding/json'
import { evaluateAdmission } from '#policy/engine/admission'
import type { EnginePorts } from '#policy/engine/ports'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { deadlineOf } from '#policy/internal/deadline'
import type { CompiledException } from '#policy/internal/exception'
import { readDocuments } from '#policy/internal/documents'
import type { CompiledPolicy } from '#policy/internal/policy'
import type { Review } from '#policy/internal/review'
import { compileKyvernoPolicy } from '#policy/kyverno/compile'

/** The documents of a YAML text. */
export async function documentsOf(text: string): Promise<readonly JsonObject[]> {
  return (await readDocuments(text, 'policy.yaml')).map(({ value }) => value)
}

/** Compiles the one policy of a YAML text. */
export async function compileText(text: string): Promise<CompiledPolicy> {
  const [document] = await documentsOf(text)
  if (document === undefined) throw new Error('no policy in the text')
  return await compileKyvernoPolicy(document, { ports: { clock: () => Date.parse('2025-06-01T12:00:00Z') } })
}

/** What a rule is, but for its `verifyImages`; flow YAML. */
export interface RuleText {
  readonly spec?: string
  readonly match?: string
  /** Further fields of the rule: `preconditions: …, context: …`. */
  readonly more?: string
  readonly metadata?: string
  readonly kind?: 'ClusterPolicy' | 'Policy'
}

/** A policy `p` of one rule `r` with one entry of `verifyImages`, refusing. */
export async function ruleOf(entry: string, text: RuleText = {}): Promise<CompiledPolicy> {
  const { spec = 'validationFailureAction: Enforce', match = 'any: [{resources: {kinds: [Pod]}}]' } = text
  const { more = '', metadata = 'name: p', kind = 'ClusterPolicy' } = text
  const rule = `{name: r, match: {${match}}, verifyImages: [{${entry}}]${more === '' ? '' : `, ${more}`}}`
  return await compileText(
    `{apiVersion: kyverno.io/v1, kind: ${kind}, metadata: {${metadata}}, spec: {${spec}, rules: [${rule}]}}`,
  )
}

/** Everything that a verdict may depend on besides the policies. */
export interface Asking {
  readonly ports: EnginePorts
  readonly exceptions?: readonly CompiledException[]
}

/** Judges as both webhooks do. */
export async function judged(
  policies: readonly CompiledPolicy[],
  review: Review,
  { ports, exceptions = [] }: Asking,
): Promise<ReviewVerdict> {
  const deadline = deadlineOf(AbortSignal.timeout(60_000))
  return await evaluateAdmission({ policies, exceptions, review, ports, deadline, unmatched: 'allow' })
}
