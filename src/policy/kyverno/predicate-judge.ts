/** The conditions of an attestation on one verified statement. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Clock } from '#time'
import type { PredicatePolicy } from '../internal/demand.js'
import { PolicyError } from '../internal/policy-error.js'
import type { AttestedConditions, ReadAttestation } from './attestation.js'
import { imageText, imageVariable } from './image-name.js'
import type { Scope } from './scope.js'

/** Variables that a predicate must not take the place of: what is judged is not what an attestation says it is. */
const KEPT = ['request', 'images', 'image', 'serviceAccountName', 'serviceAccountNamespace']

/** The members of the predicate are variables of their own, as in `{{ builder.id }}`. */
export function predicateJudge(
  { conditions, type = '' }: ReadAttestation & { readonly conditions: AttestedConditions },
  scope: Scope,
  clock: Clock,
): PredicatePolicy {
  return {
    language: 'conditions',
    source: JSON.stringify(conditions.source, null, 2),
    judge: async ({ statement, occurrence }) => {
      const { predicate } = statement
      if (!isJsonObject(predicate)) throw refused('failed to extract predicate from statement')
      const whole = scope.with({ ...variablesOf(predicate), image: imageVariable(occurrence.image) })
      const checked = `attestation checks failed for ${imageText(occurrence)} and predicate ${type}`
      try {
        const { holds, message, failed } = await whole.evaluate((data) => conditions.compiled.evaluate(data, clock))
        if (!holds)
          throw refused(`${checked}: ${message === '' ? `the condition ${failed ?? ''} is not met` : message}`)
      } catch (error) {
        if (!isCodedError(error) || !error.code.startsWith('JMESPATH_')) throw error
        throw refused(`failed to check attestations: ${error.message}`, error)
      }
      return { warnings: [] }
    },
  }
}

function variablesOf(predicate: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(predicate).filter(([name]) => !KEPT.includes(name)))
}

function refused(message: string, cause?: Error): PolicyError {
  return new PolicyError('POLICY_PREDICATE', message, { cause })
}
