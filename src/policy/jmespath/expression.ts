/** JMESPath expressions: compiled when a policy is loaded, evaluated against many values. @module */
import type { JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import { Budget } from './budget.js'
import { checkTree, quoted } from './expression-tree.js'
import { Missing, visit } from './interpreter.js'
import { JmesPathError } from './jmespath-error.js'

/** An expression that can be evaluated. */
export interface Expression {
  readonly source: string
  /**
   * The value of the expression, which may be null.
   * @throws {@link JmesPathError} JMESPATH_UNRESOLVED with the name that is not there, JMESPATH_EVALUATION or JMESPATH_LIMIT
   */
  evaluate(data: JsonValue, clock: Clock): JsonValue
}

/**
 * Compiles an expression.
 * @throws {@link JmesPathError} JMESPATH_SYNTAX, JMESPATH_UNSUPPORTED or JMESPATH_LIMIT
 */
export type CompileExpression = (source: string) => Expression

/** Most characters of an expression. */
const MAX_SOURCE = 16_384

/** The compiler. The parser's library is loaded only where a policy has expressions. */
export async function loadJmesPath(): Promise<CompileExpression> {
  const { compile } = await import('@jmespath-community/jmespath')
  const { CORE_SCHEMA, loadAll } = await import('js-yaml')
  const parseYaml = (text: string): unknown => {
    const [only = null, ...more] = loadAll(text, { schema: CORE_SCHEMA })
    if (more.length > 0) throw new JmesPathError('JMESPATH_EVALUATION', 'several YAML documents in one text')
    return only
  }
  return (source) => {
    if (source.length > MAX_SOURCE) {
      throw new JmesPathError('JMESPATH_LIMIT', 'an expression is too long', {
        expected: `at most ${String(MAX_SOURCE)} characters`,
      })
    }
    if (hasOpenQuote(source)) {
      throw new JmesPathError('JMESPATH_SYNTAX', 'a quote does not end', { found: quoted(source) })
    }
    let parsed
    try {
      parsed = compile(source)
    } catch (cause) {
      throw new JmesPathError('JMESPATH_SYNTAX', 'not a JMESPath expression', { found: quoted(source), cause })
    }
    const tree = checkTree({ ...parsed }, source)
    return {
      source,
      evaluate: (data, clock) => {
        const world = { clock, budget: new Budget(), parseYaml }
        const outcome = visit(tree, data, world)
        if (outcome instanceof Missing) throw unresolved(outcome.name, source)
        world.budget.measure(outcome)
        return outcome
      },
    }
  }
}

/** The library takes the end of the text for the end of a quote. */
function hasOpenQuote(source: string): boolean {
  let quote = ''
  for (let at = 0; at < source.length; at++) {
    const character = source.charAt(at)
    if (quote !== '' && character === '\\') at++
    else if (quote === character) quote = ''
    else if (quote === '' && /['"`]/.test(character)) quote = character
  }
  return quote !== ''
}

function unresolved(name: string, source: string): JmesPathError {
  return new JmesPathError('JMESPATH_UNRESOLVED', `a variable cannot be resolved: there is no ${quoted(name)}`, {
    found: quoted(source),
    hint: 'write `|| …` after what may be missing',
  })
}
