/** How it stands with a policy, once the keys that it names have been looked at. @module */
import type { CompiledPolicy } from '#policy/internal/policy'
import type { KeyHealth, KeyKeeper } from './key-keeper.js'
import { keysOf } from './policy-keys.js'
import type { PolicyHealth } from './snapshot.js'

/** A policy that cannot be used says so first. A key that nobody has looked at yet says nothing. */
export function withKeys(health: PolicyHealth, policy: CompiledPolicy, keys: KeyKeeper): PolicyHealth {
  const troubles = keysOf(policy).flatMap((source) => {
    const key = keys.health(source)
    return key === undefined || key.condition === 'good' ? [] : [key]
  })
  if (troubles.length === 0) return health
  const problems = new Set([health.problem, ...troubles.map(({ problem }) => problem)].filter((text) => text !== ''))
  return { ...health, ...worst(health, troubles), problem: [...problems].join('; ') }
}

function worst(
  { condition, cause }: PolicyHealth,
  troubles: readonly KeyHealth[],
): Pick<PolicyHealth, 'condition' | 'cause'> {
  if (condition === 'refusing') return { condition, cause }
  if (troubles.some((key) => key.condition === 'missing')) return { condition: 'refusing', cause: 'key' }
  return { condition: 'last good', cause: condition === 'last good' ? cause : 'key' }
}
