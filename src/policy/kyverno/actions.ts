/** What happens to a resource that a rule refuses: failure actions, overrides, failure policy. @module */
import type { Fields } from '../internal/fields.js'
import { labelsOf } from '../internal/label-selector.js'
import type { Action, Enforcement, WebhookSettings } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { forbidden, invalidValue, oneOf } from './complain.js'
import { isLabelled, readLabelPattern } from './labels.js'
import type { LabelPattern } from './labels.js'
import { readWildcards } from './wildcard.js'
import type { Wildcard } from './wildcard.js'

/** `Enforce` refuses, `Audit` reports. */
export type FailureAction = 'Enforce' | 'Audit'

/** Another action for some namespaces. */
interface Override {
  readonly action: FailureAction
  /** Empty: every one. */
  readonly namespaces: readonly Wildcard[]
  readonly selector: LabelPattern | undefined
}

/** What a policy says of all its rules. */
export interface PolicyActions {
  readonly action: FailureAction
  readonly overrides: readonly Override[]
  readonly emitWarning: boolean
  readonly failurePolicy: WebhookSettings['failurePolicy']
}

const SPELLINGS = ['Enforce', 'Audit', 'enforce', 'audit'] as const
const MAX_OVERRIDES = 200

/** A failure action in either spelling; the older one was in lower case. */
export function readAction(fields: Fields, name: string): FailureAction | undefined {
  const written = oneOf(fields, name, SPELLINGS)
  if (written === undefined) return undefined
  return written.toLowerCase() === 'enforce' ? 'Enforce' : 'Audit'
}

export function readOverrides(spec: Fields, namespaced: boolean): readonly Override[] {
  const name = 'validationFailureActionOverrides'
  const list = spec.objects(name)
  if (namespaced && list.length > 0)
    forbidden(spec, name, 'Use of validationFailureActionOverrides is supported only with ClusterPolicy')
  if (list.length > MAX_OVERRIDES) invalidValue(spec, `expected at most ${String(MAX_OVERRIDES)}`, name)
  return list.slice(0, MAX_OVERRIDES).flatMap((each) => {
    each.only('action', 'namespaces', 'namespaceSelector')
    const action = readAction(each, 'action')
    if (action === undefined) invalidValue(each, 'invalid action')
    const selector = each.object('namespaceSelector')
    const labels = selector === undefined ? undefined : readLabelPattern(selector)
    const namespaces = readWildcards(each, 'namespaces')
    // An empty list is no list of all.
    const aboutNone = each.has('namespaces') && namespaces.length === 0
    return action === undefined || aboutNone ? [] : [{ action, namespaces, selector: labels }]
  })
}

/** Of one rule: its own action, if one of its entries has one, and else the policy's. */
export function enforcementOf(policy: PolicyActions, own: readonly (FailureAction | undefined)[]): Enforcement {
  const stated = own.filter((action) => action !== undefined)
  const ruleAction = stated.includes('Enforce') ? 'Enforce' : stated[0]
  const { emitWarning, failurePolicy } = policy
  const asAction = (action: FailureAction): Action => (action === 'Enforce' ? 'deny' : emitWarning ? 'warn' : 'audit')
  return {
    explained: [
      ...(ruleAction === undefined ? explainPolicyAction(policy) : [WORDS[ruleAction]]),
      failurePolicy === 'Fail' ? 'refused, too, if no answer can be had' : 'let in if no answer can be had',
    ],
    actionFor: (review) => asAction(ruleAction ?? policyAction(policy, review)),
    actionOnOutage: () => (failurePolicy === 'Fail' ? 'deny' : emitWarning ? 'warn' : 'audit'),
  }
}

const WORDS = { Enforce: 'refused', Audit: 'reported' } as const satisfies Record<FailureAction, string>

function explainPolicyAction({ action, overrides }: PolicyActions): readonly string[] {
  return [
    WORDS[action],
    ...overrides.map((each) => {
      const names = each.namespaces.map(({ text }) => text).join(' or ')
      const labelled = each.selector === undefined ? '' : ' with selected labels'
      return `${WORDS[each.action]} in ${names === '' ? 'namespaces' : `namespaces ${names}`}${labelled}`
    }),
  ]
}

/** The first override that is about the namespace, and else the policy's own word. */
function policyAction({ action, overrides }: PolicyActions, review: Review): FailureAction {
  for (const override of overrides) {
    const about = isAbout(override, review)
    // Whose labels are not known may be the one that is enforced in.
    if (about === undefined) return 'Enforce'
    if (about) return override.action
  }
  return action
}

function isAbout({ namespaces, selector }: Override, { namespace = '', namespaceObject }: Review): boolean | undefined {
  if (namespaces.length > 0 && !namespaces.some((each) => each.matches(namespace))) return false
  if (selector === undefined) return true
  return namespaceObject === undefined ? undefined : isLabelled(selector, labelsOf(namespaceObject))
}
