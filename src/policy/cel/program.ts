/** Compiling expressions, and evaluating them. @module */
import { isCodedError } from '#errors'
import { compilePattern } from '#verify/pattern/pattern'
import type { Pattern } from '#verify/pattern/pattern'
import type { InTurn } from '../internal/turns.js'
import { Asks } from './asks.js'
import { Budget } from './budget.js'
import { CelError, evaluationError, placeOf } from './cel-error.js'
import { checkExpression } from './check.js'
import type { CelEnvironment, World } from './environment.js'
import type { Frame } from './frame.js'
import { loadParser } from './parse.js'
import { plan } from './plan.js'
import { formatType, sameType } from './types.js'
import type { CelType } from './types.js'
import type { Outcome } from './values.js'

/** An expression that can be evaluated. */
export interface CelProgram {
  readonly source: string
  readonly type: CelType
  /** @throws CelError `CEL_EVALUATION`, `CEL_LIMIT` */
  evaluate(evaluation: Evaluation): Outcome
}

/**
 * Compiles an expression, which must be of one of the types that are asked for, or dynamic.
 * @throws CelError `CEL_SYNTAX`, `CEL_TYPE`, `CEL_UNSUPPORTED`, `CEL_LIMIT`
 */
export type CompileCel = (source: string, environment: CelEnvironment, asked?: readonly CelType[]) => CelProgram

/** The compiler. The parser's library is loaded only where a policy has expressions. */
export async function loadCel(): Promise<CompileCel> {
  const parse = await loadParser()
  return (source, environment, asked = []) => {
    const checked = checkExpression(parse(source), source, environment)
    const { type } = checked
    if (asked.length > 0 && type.kind !== 'dyn' && !asked.some((each) => sameType(each, type))) {
      throw new CelError('CEL_TYPE', `output is expected to be of type ${asked.map(formatType).join(' or ')}`, {
        found: `${formatType(type)} at ${placeOf(source, 0)}`,
      })
    }
    const step = plan(checked.root, checked)
    return { source, type, evaluate: (evaluation) => withinStack(() => step(evaluation.frame())) }
  }
}

/** One expression is not deep, but values may be made of values, and variables of variables, each as deep as an expression may be. */
function withinStack(step: () => Outcome): Outcome {
  try {
    return step()
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause
    throw new CelError('CEL_LIMIT', 'an expression goes too deep', { cause })
  }
}

/** The value of a variable, if there is one of this name; it may be computed in the same evaluation. */
export type Variables = (name: string, evaluation: Evaluation) => Outcome | undefined

/** Patterns of one evaluation that are kept; policies have a handful. */
const MAX_PATTERNS = 100

export interface EvaluationOptions {
  /** When its attempts are made. */
  readonly inTurn?: InTurn | undefined
  /** How many steps it has; absent: those of a policy. */
  readonly steps?: number
}

/** One evaluation of one or several expressions: they share their variables, their limits and what was asked. */
export class Evaluation implements World {
  readonly budget: Budget
  readonly asks: Asks
  readonly #variables: Variables
  readonly #patterns = new Map<string, Pattern>()

  constructor(variables: Variables, { inTurn, steps }: EvaluationOptions = {}) {
    this.#variables = variables
    this.budget = new Budget(steps)
    this.asks = new Asks(inTurn)
  }

  lookup(name: string): Outcome | undefined {
    return this.#variables(name, this)
  }

  frame(): Frame {
    return {
      budget: this.budget,
      asks: this.asks,
      lookup: (name) => this.lookup(name),
      pattern: (source) => this.pattern(source),
      locals: [],
    }
  }

  pattern(source: string): Pattern {
    const known = this.#patterns.get(source)
    if (known !== undefined) return known
    this.budget.read(source.length * 16)
    try {
      const pattern = compilePattern(source)
      if (this.#patterns.size < MAX_PATTERNS) this.#patterns.set(source, pattern)
      return pattern
    } catch (error) {
      if (!isCodedError(error)) throw error
      throw evaluationError(error.message, { expected: error.expected, found: error.found, cause: error })
    }
  }
}
