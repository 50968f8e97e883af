/** The keys that a policy names and that are kept elsewhere. @module */
import type { KeySource } from '#policy/internal/attestor'
import type { Demand } from '#policy/internal/demand'
import type { CompiledPolicy, PolicyRule } from '#policy/internal/policy'

/** Where a key is kept that is not written into the policy. */
export type KeptKey = Exclude<KeySource, { readonly kind: 'inline' }>

/** Those that are known without a review: what a rule's variables or a program's expressions name is not among them. */
export function keysOf({ rules }: CompiledPolicy): readonly KeptKey[] {
  return rules.flatMap(demandsOf).flatMap(keysIn)
}

function demandsOf(rule: PolicyRule): readonly Demand[] {
  if (rule.kind === 'program') return []
  const { demand } = rule.planner?.outline ?? rule
  return demand === undefined ? [] : [demand]
}

function keysIn(demand: Demand): readonly KeptKey[] {
  if (demand.kind === 'static') return []
  if (demand.kind === 'count') return demand.of.flatMap(keysIn)
  const { signer } = demand.attestor
  return signer.kind === 'key' && signer.source.kind !== 'inline' ? [signer.source] : []
}
