/** `sprintf` with the verbs that policies use. @module */
import { isWhole, numberText } from '../number.js'
import { RegoError, unsupported } from '../rego-error.js'
import { isNumber, regoText, type Value } from '../value.js'

const VERB = /%(?:[sdvq%]|.|$)/gsu
const VERBS = new Set(['%s', '%d', '%v', '%%'])

/** @throws RegoError REGO_UNSUPPORTED for other verbs, flags and widths */
export function checkFormat(format: string, line: number): void {
  for (const [verb] of format.matchAll(VERB)) if (!VERBS.has(verb)) throw unsupported(`${verb} in sprintf`, line)
}

/** What Go makes of it, its complaints included. @throws RegoError REGO_UNSUPPORTED */
export function formatted(format: string, args: readonly Value[]): string {
  let index = 0
  const text = format.replace(VERB, (verb) => {
    if (verb === '%%') return '%'
    if (!VERBS.has(verb)) {
      throw new RegoError('REGO_UNSUPPORTED', `${verb} in sprintf is not supported`, { expected: '%s, %d, %v or %%' })
    }
    const arg = args[index++]
    return arg === undefined ? `%!${verb.slice(1)}(MISSING)` : one(verb, arg)
  })
  if (index >= args.length) return text
  const rest = args.slice(index).map((arg) => `${goType(arg)}=${plain(arg)}`)
  return `${text}%!(EXTRA ${rest.join(', ')})`
}

function one(verb: string, arg: Value): string {
  const fits = verb === '%v' || (verb === '%s' ? !isNumber(arg) : isNumber(arg) && isWhole(arg))
  return fits ? plain(arg) : `%!${verb.slice(1)}(${goType(arg)}=${plain(arg)})`
}

function plain(arg: Value): string {
  return typeof arg === 'string' ? arg : isNumber(arg) ? numberText(arg) : regoText(arg)
}

function goType(arg: Value): string {
  if (!isNumber(arg)) return 'string'
  if (!isWhole(arg)) return 'float64'
  return typeof arg === 'number' ? 'int' : '*big.Int'
}
