/** What a policy of Kyverno's that cannot be used is about, as far as that can be read. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { ImageSelector } from '../internal/image.js'
import type { Action } from '../internal/policy.js'
import type { Guarded } from '../refusing-policy.js'
import { isOpen } from './variables.js'

/** The images of its `verifyImages`; none if it has no such rule, undefined if that cannot be told. */
export function guardedByKyvernoPolicy({ spec }: JsonObject): Guarded | undefined {
  if (!isJsonObject(spec)) return undefined
  const rules = spec['rules']
  if (!Array.isArray(rules)) return undefined
  const include: ImageSelector[] = []
  for (const rule of rules as readonly JsonValue[]) {
    if (!isJsonObject(rule)) return undefined
    const patterns = patternsOf(rule['verifyImages'])
    if (patterns === undefined) return undefined
    include.push(...patterns.map((pattern): ImageSelector => ({ kind: 'wildcard', pattern })))
  }
  return { include, action: actionIn(spec) }
}

function patternsOf(verifyImages: JsonValue | undefined): readonly string[] | undefined {
  if (verifyImages === undefined || verifyImages === null) return []
  if (!Array.isArray(verifyImages)) return undefined
  const found: string[] = []
  for (const each of verifyImages as readonly JsonValue[]) {
    const references = isJsonObject(each) ? (each['imageReferences'] ?? [each['image'] ?? null]) : undefined
    if (!Array.isArray(references) || references.length === 0) return undefined
    for (const reference of references as readonly JsonValue[]) {
      if (typeof reference !== 'string' || isOpen(reference)) return undefined
      found.push(reference)
    }
  }
  return found
}

/** Wherever it says so, for a namespace or for a rule: it is better to refuse too much than too little. */
function actionIn(spec: JsonObject): Action {
  return /"(?:validationF|f)ailureAction":"enforce"|"action":"enforce"/i.test(JSON.stringify(spec)) ? 'deny' : 'audit'
}
