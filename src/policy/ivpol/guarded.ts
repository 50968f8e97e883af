/** What an image validating policy that cannot be compiled is about, as far as that can be read. @module */
import { isCodedError } from '#errors'
import type { JsonObject } from '#encoding/json'
import { Complaints, Fields } from '../internal/fields.js'
import type { Guarded } from '../refusing-policy.js'
import { globSelector } from './glob.js'

/** Undefined: anything. */
export function guardedByImageValidatingPolicy(document: JsonObject): Guarded | undefined {
  const spec = new Fields(document, '', new Complaints()).object('spec')
  const references = spec?.objects('matchImageReferences') ?? []
  const globs = references.map((each) => each.text('glob'))
  // An expression may be what is broken; then the policy is about any image.
  if (spec === undefined || globs.length === 0 || globs.includes(undefined)) return undefined
  const actions = spec.texts('validationActions')
  const action = actions.length === 0 || actions.includes('Deny') ? 'deny' : actions.includes('Warn') ? 'warn' : 'audit'
  try {
    return { include: globs.map((glob) => globSelector(glob ?? '')), action }
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}
