/** The conditions of a Kyverno policy: `any` and `all` blocks, or the older flat list. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { Clock } from '#time'
import { Budget } from './budget.js'
import type { CompileExpression } from './expression.js'
import { JmesPathError } from './jmespath-error.js'
import { OPERATORS } from './operators.js'
import type { Operator } from './membership.js'
import { compileTemplate } from './template.js'
import type { Template } from './template.js'

/** What conditions came to. */
export interface ConditionsOutcome {
  readonly holds: boolean
  /** Where the condition that failed is written (`[0].all[1]`); of an `any` block, the block. Undefined if all is well. */
  readonly failed: string | undefined
  /** The messages of the conditions that failed or, if they hold, of those that were met; empty if they have none. */
  readonly message: string
}

/** Conditions that were read and checked. */
export interface Conditions {
  /** @throws {@link JmesPathError} as {@link Template.substitute}: a condition that cannot be judged is never met or unmet */
  evaluate(data: JsonValue, clock: Clock): ConditionsOutcome
}

interface Condition {
  readonly where: string
  readonly key: Template
  readonly operator: Operator
  readonly value: Template
  readonly message: Template
}

interface Block {
  readonly where: string
  readonly any: readonly Condition[] | undefined
  readonly all: readonly Condition[]
}

/** Most conditions of one list. */
const MAX_CONDITIONS = 1000

/**
 * Reads conditions: a list of blocks, one block, or a flat list of conditions that must all hold.
 * @throws {@link JmesPathError} JMESPATH_CONDITION, JMESPATH_SYNTAX, JMESPATH_UNSUPPORTED or JMESPATH_LIMIT
 */
export function compileConditions(compile: CompileExpression, source: JsonValue): Conditions {
  const blocks = readBlocks(compile, source)
  return {
    evaluate: (data, clock) => {
      const met: string[] = []
      for (const block of blocks) {
        const outcome = evaluateBlock(block, data, clock)
        if (!outcome.holds) return outcome
        met.push(outcome.message)
      }
      return { holds: true, failed: undefined, message: joined(met) }
    },
  }
}

function evaluateBlock({ where, any, all }: Block, data: JsonValue, clock: Clock): ConditionsOutcome {
  const met: string[] = []
  const unmet: string[] = []
  const judge: Judge = { data, clock, met, unmet }
  const anyHolds = any === undefined || any.some((each) => isMet(each, judge))
  const failing = all.find((each) => !isMet(each, judge))
  if (anyHolds && failing === undefined) return { holds: true, failed: undefined, message: joined(met) }
  return { holds: false, failed: anyHolds ? failing?.where : `${where}.any`, message: joined(unmet) }
}

interface Judge {
  readonly data: JsonValue
  readonly clock: Clock
  readonly met: string[]
  readonly unmet: string[]
}

function isMet(condition: Condition, { data, clock, met, unmet }: Judge): boolean {
  const [key, value] = [condition.key.substitute(data, clock), condition.value.substitute(data, clock)]
  const holds = condition.operator(key, value, new Budget())
  const message = condition.message.substitute(data, clock)
  ;(holds ? met : unmet).push(typeof message === 'string' ? message : JSON.stringify(message))
  return holds
}

function joined(messages: readonly string[]): string {
  return messages.filter((each) => each !== '').join('; ')
}

function readBlocks(compile: CompileExpression, source: JsonValue): readonly Block[] {
  if (isJsonObject(source)) return [readBlock(compile, source, '')]
  if (!Array.isArray(source)) throw malformed('conditions', 'a list of conditions')
  const list = source as readonly JsonValue[]
  if (list.length > 0 && list.every((each) => isJsonObject(each) && Object.hasOwn(each, 'operator'))) {
    return [{ where: '', any: undefined, all: readConditions(compile, list, '') }]
  }
  return list.map((each, index) => readBlock(compile, each, `[${String(index)}]`))
}

function readBlock(compile: CompileExpression, source: JsonValue, where: string): Block {
  if (!isJsonObject(source)) throw malformed(where, 'a block of any and all')
  refuseOthers(source, ['any', 'all'], where)
  const { any, all } = source
  if (any === undefined && all === undefined) throw malformed(where, 'any or all: an empty block would always hold')
  return {
    where,
    any: any === undefined ? undefined : readConditions(compile, any, `${where}.any`),
    all: all === undefined ? [] : readConditions(compile, all, `${where}.all`),
  }
}

function readConditions(compile: CompileExpression, source: JsonValue, where: string): readonly Condition[] {
  if (!Array.isArray(source)) throw malformed(where, 'a list of conditions')
  const list = source as readonly JsonValue[]
  if (list.length > MAX_CONDITIONS) throw malformed(where, `at most ${String(MAX_CONDITIONS)} conditions`)
  return list.map((each, index) => readCondition(compile, each, `${where}[${String(index)}]`))
}

function readCondition(compile: CompileExpression, source: JsonValue, where: string): Condition {
  if (!isJsonObject(source)) throw malformed(where, 'a condition')
  refuseOthers(source, ['key', 'operator', 'value', 'message'], where)
  const { key, operator: name, value = null, message = '' } = source
  if (key === undefined || typeof name !== 'string') throw malformed(where, 'a key and an operator')
  const operator = OPERATORS.get(name)
  if (operator === undefined) {
    throw new JmesPathError('JMESPATH_CONDITION', `${where}: there is no such operator`, {
      expected: [...OPERATORS.keys()].join(', '),
      found: name.slice(0, 80),
    })
  }
  if (typeof message !== 'string') throw malformed(where, 'a message that is a text')
  return {
    where,
    key: compileTemplate(compile, key),
    operator,
    value: compileTemplate(compile, value),
    message: compileTemplate(compile, message),
  }
}

function refuseOthers(source: JsonObject, names: readonly string[], where: string): void {
  const other = Object.keys(source).find((name) => !names.includes(name))
  if (other !== undefined) throw malformed(where, `only ${names.join(', ')}`, other.slice(0, 80))
}

function malformed(where: string, expected: string, found?: string): JmesPathError {
  return new JmesPathError('JMESPATH_CONDITION', `${where}: not the form of conditions`, {
    expected,
    ...(found === undefined ? {} : { found }),
  })
}
