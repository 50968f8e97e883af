/** `attestations`: what must be attested, by whom, and which conditions it must satisfy. @module */
import type { JsonValue } from '#encoding/json'
import { compileConditions } from '../jmespath/conditions.js'
import type { Conditions } from '../jmespath/conditions.js'
import type { CompileExpression } from '../jmespath/expression.js'
import type { Fields } from '../internal/fields.js'
import { readAttestorSets } from './attestor-set.js'
import type { AttestorSet, SetReading } from './attestor-set.js'
import { guarded, invalidValue } from './complain.js'

/** One attestation that is asked for. */
export interface ReadAttestation {
  /** `.attestations[0]` */
  readonly place: string
  /** By what name conditions on the whole know its predicate; empty: by none. */
  readonly name: string
  /** Undefined: not named, so that nothing can be of it. */
  readonly type: string | undefined
  readonly sets: readonly AttestorSet[]
  readonly conditions: AttestedConditions | undefined
}

/** Conditions on a predicate. */
export interface AttestedConditions {
  readonly source: JsonValue
  readonly compiled: Conditions
}

const MAX_ATTESTATIONS = 100

/** Reads them; the conditions are not filled in when the policy's variables are, for theirs are the predicate's. */
export function readAttestations(
  fields: Fields,
  compile: CompileExpression,
  context: SetReading,
): readonly ReadAttestation[] {
  const list = fields.objects('attestations')
  if (list.length > MAX_ATTESTATIONS)
    invalidValue(fields, `expected at most ${String(MAX_ATTESTATIONS)}`, 'attestations')
  return list.slice(0, MAX_ATTESTATIONS).map((each, index): ReadAttestation => {
    each.only('name', 'type', 'predicateType', 'attestors', 'conditions')
    const place = `.attestations[${String(index)}]`
    const [type, predicateType] = [each.text('type'), each.text('predicateType')]
    if (type !== undefined && predicateType !== undefined && type !== predicateType)
      invalidValue(each, 'type and predicateType name two types')
    return {
      place,
      name: each.text('name') ?? '',
      type: type ?? predicateType,
      sets: readAttestorSets(each, place, context),
      conditions: readConditions(each, compile),
    }
  })
}

function readConditions(fields: Fields, compile: CompileExpression): AttestedConditions | undefined {
  const source = fields.get('conditions')
  if (source === undefined || (Array.isArray(source) && source.length === 0)) return undefined
  const compiled = guarded(fields, 'conditions', () => compileConditions(compile, source))
  return compiled === undefined ? undefined : { source, compiled }
}
