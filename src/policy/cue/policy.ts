/** CUE policies: read once, judged against many inputs. @module */
import type { JsonValue } from '#encoding/json'
import type { CueFile } from './ast.js'
import { CueError } from './cue-error.js'
import { Evaluator } from './evaluator.js'
import { deepFlaw } from './judge.js'
import { parseCue } from './parser.js'
import { resolveNames } from './resolve.js'
import type { Flaw, Surroundings } from './vertex.js'
import { Vertex } from './vertex.js'

/** A policy that was read and does not contradict itself. */
export interface CuePolicy {
  /**
   * Unifies the input with the policy, as `cue vet` and cosign do.
   * What the policy constrains and the input leaves out is no fault, unless the field is marked as required with `!`.
   * @throws {@link CueError} CUE_REJECTED with the path and what was expected, or CUE_LIMIT
   */
  judge(input: JsonValue): void
}

const NOWHERE: Surroundings = { scope: undefined, groups: [], embedded: false }

/**
 * Reads a policy.
 * @throws {@link CueError} CUE_SYNTAX, CUE_UNSUPPORTED, CUE_REFERENCE, CUE_CONTRADICTION or CUE_LIMIT
 */
export function compileCue(source: string): CuePolicy {
  const file = parseCue(source)
  resolveNames(file)
  const evaluator = new Evaluator(file.imports)
  const root = rootOf(evaluator, file)
  const flaw = deepFlaw(evaluator, root)
  if (flaw !== undefined) throw flawed('CUE_CONTRADICTION', flaw)
  refuseWaiting(root)
  return {
    judge: (input) => {
      judge(file, input)
    },
  }
}

function judge(file: CueFile, input: JsonValue): void {
  const evaluator = new Evaluator(file.imports)
  const root = rootOf(evaluator, file)
  evaluator.say(root, { kind: 'data', data: input })
  const flaw = deepFlaw(evaluator, root, 'input')
  if (flaw !== undefined) throw flawed('CUE_REJECTED', flaw)
}

function rootOf(evaluator: Evaluator, { root }: CueFile): Vertex {
  const vertex = new Vertex('')
  const [only] = root.declarations
  const embedded = root.declarations.length === 1 && only?.kind === 'embedding' ? only.value : root
  evaluator.say(vertex, { ...NOWHERE, kind: 'expression', expression: embedded })
  return vertex
}

/** CUE itself refuses a policy whose outermost comprehension waits for the input. */
function refuseWaiting(root: Vertex): void {
  const waiting = root.deferred.find((each) => each.kind === 'comprehension')
  if (waiting?.kind !== 'comprehension') return
  const { line } = waiting.comprehension
  throw new CueError('CUE_CONTRADICTION', `line ${String(line)}: an outermost if or for cannot wait for the input`, {
    hint: 'put it inside a field',
  })
}

function flawed(code: 'CUE_CONTRADICTION' | 'CUE_REJECTED', flaw: Flaw): CueError {
  const at = flaw.path === '' ? '' : `${flaw.path}: `
  const { expected, found } = flaw
  return new CueError(code, `${at}${flaw.message}`, {
    ...(expected === undefined ? {} : { expected }),
    ...(found === undefined ? {} : { found }),
  })
}
