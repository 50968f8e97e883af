/** `validate.deny`: conditions over everything that was attested, under which an image is refused all the same. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import { compileConditions } from '../jmespath/conditions.js'
import type { Conditions } from '../jmespath/conditions.js'
import type { CompileExpression } from '../jmespath/expression.js'
import { compileTemplate } from '../jmespath/template.js'
import type { Template } from '../jmespath/template.js'
import type { Fields } from '../internal/fields.js'
import type { DemandOutcome } from '../internal/outcome.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Conclusion } from '../internal/policy.js'
import { guarded } from './complain.js'
import { imageVariable } from './image-name.js'
import type { Scope } from './scope.js'

/** What was read. */
export interface Denial {
  readonly source: JsonValue
  readonly conditions: Conditions
  readonly message: Template
}

/** Undefined where nothing is denied. */
export function readDenial(fields: Fields, compile: CompileExpression): Denial | undefined {
  const validate = fields.object('validate')?.only('message', 'deny')
  const deny = validate?.object('deny')?.only('conditions')
  const source = deny?.get('conditions')
  const text = validate?.text('message') ?? ''
  const message =
    validate === undefined ? undefined : guarded(validate, 'message', () => compileTemplate(compile, text))
  if (deny === undefined || source === undefined || message === undefined) return undefined
  const conditions = guarded(deny, 'conditions', () => compileConditions(compile, source))
  return conditions === undefined ? undefined : { source, conditions, message }
}

/** Judges when all that is asked for was verified. */
export function denialConclusion({ source, conditions, message }: Denial, scope: Scope, clock: Clock): Conclusion {
  return {
    language: 'conditions',
    source: JSON.stringify({ deny: source }, null, 2),
    judge: async ({ occurrence, outcome }) => {
      const whole = scope.with({ ...namedPredicates(outcome), image: imageVariable(occurrence.image) })
      const { holds, message: why } = await whole.evaluate((data) => conditions.evaluate(data, clock))
      if (!holds) return { warnings: [] }
      const text = await whole.evaluate((data) => message.substitute(data, clock))
      const told = [typeof text === 'string' ? text : '', why].filter((each) => each !== '').join('; ')
      throw new PolicyError('POLICY_PREDICATE', told === '' ? 'validation error: imageVerify failed' : told)
    },
  }
}

/** The first verified predicate of each attestation that the policy gives a name. */
function namedPredicates(outcome: DemandOutcome): JsonObject {
  const found = new Map<string, JsonValue>()
  const visit = (each: DemandOutcome): void => {
    if ('of' in each) each.of.forEach(visit)
    else if (each.demand.kind === 'attestation' && 'accepted' in each) {
      const [first] = each.accepted
      const predicate = first?.verified.statement?.predicate
      // A name that the policy did not give is a place, and no name of a variable.
      const { name } = each.demand
      if (predicate !== undefined && !name.startsWith('.') && !found.has(name)) found.set(name, predicate)
    }
  }
  visit(outcome)
  return Object.fromEntries(found)
}
