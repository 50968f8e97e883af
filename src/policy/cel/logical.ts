/** `&&` and `||`: one side may decide although the other has an error, or no answer yet. @module */
import { CelError, noSuchOverload } from './cel-error.js'
import type { Step } from './frame.js'
import { PENDING, typeNameOf } from './values.js'
import type { Outcome } from './values.js'

export function planLogical(operator: 'and' | 'or', left: Step, right: Step): Step {
  const decisive = operator === 'or'
  return (frame) => {
    frame.budget.spend(1)
    const first = attempt(() => left(frame))
    if (first === decisive) return decisive
    const second = attempt(() => right(frame))
    if (second === decisive) return decisive
    if (first === PENDING || second === PENDING) return PENDING
    if (first instanceof CelError) throw first
    if (second instanceof CelError) throw second
    const wrong = typeof first === 'boolean' ? second : first
    if (typeof wrong !== 'boolean') throw noSuchOverload(operator === 'and' ? '_&&_' : '_||_', [typeNameOf(wrong)])
    return !decisive
  }
}

/** The outcome, or the error of the expression. What is over a limit, or broken, decides for all. */
export function attempt(step: () => Outcome): Outcome | CelError {
  try {
    return step()
  } catch (error) {
    if (error instanceof CelError && error.code === 'CEL_EVALUATION') return error
    throw error
  }
}
