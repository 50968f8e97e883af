/** Rules may not depend on themselves. @module */
import type { Rule } from './plan.js'
import { fault } from './rego-error.js'
import { everyNode } from './walk.js'

/**
 * The rules, each after those that it depends on.
 * @throws RegoError REGO_RECURSION
 */
export function inOrder(rules: ReadonlyMap<string, Rule>): readonly Rule[] {
  const ordered: Rule[] = []
  const states = new Map<Rule, 'open' | 'done'>()
  const visit = (rule: Rule): void => {
    const state = states.get(rule)
    if (state === 'open') throw fault('REGO_RECURSION', rule.line, `${rule.name} depends on itself`)
    if (state === 'done') return
    states.set(rule, 'open')
    for (const used of usedBy(rule)) visit(used)
    states.set(rule, 'done')
    ordered.push(rule)
  }
  for (const rule of rules.values()) visit(rule)
  return ordered
}

function usedBy(rule: Rule): ReadonlySet<Rule> {
  const used = new Set<Rule>()
  for (const { body, args, key, value } of rule.chains.flat()) {
    for (const node of everyNode(body, [...args, ...(key === undefined ? [] : [key]), value])) {
      if (node.kind === 'rule' || node.kind === 'invoke') used.add(node.rule)
    }
  }
  return used
}
