/** Errors as the user sees them: lines on standard error, or one JSON document. @module */
import { isCodedError } from '#errors'
import { exitCodeOf } from './errors.js'
import type { HelpStyle } from './help.js'
import { inline, printable } from './printable.js'

/** An error that carries more than its sentence into `--output json`: the verification report. */
export interface ReportingError {
  readonly report: unknown
}

export interface FailureDocument {
  readonly error: {
    readonly code: string
    readonly message: string
    readonly exitCode: number
    readonly expected?: string
    readonly found?: string
    readonly hint?: string
  }
  readonly report?: unknown
}

/** The exit code that an error leads to. `otherwise` is that of errors without one of their own. */
export function exitCodeFor(error: unknown, otherwise = 1): number {
  return isCodedError(error) ? exitCodeOf(error.code, otherwise) : otherwise
}

/** `Error: …`, and below it what was expected, what was found and what to do, each where there is something to say. */
export function describeFailure(
  error: unknown,
  style: Pick<HelpStyle, 'bold'> & { readonly verbose: boolean },
): string {
  // Of a message only the first line stands at the margin, whoever had a hand in it.
  const message = printable(messageOf(error)).replace(/\n\s*/g, '\n ')
  const lines = [`${style.bold('Error:')} ${message}`]
  if (isCodedError(error)) {
    if (error.expected !== undefined) lines.push(`  expected: ${inline(error.expected)}`)
    if (error.found !== undefined) lines.push(`  found:    ${inline(error.found)}`)
    if (error.hint !== undefined) lines.push(`  hint:     ${inline(error.hint)}`)
    if (style.verbose) lines.push(`  code:     ${error.code}`)
  }
  if (style.verbose) lines.push(...causes(error).map((cause) => `  cause:    ${printable(cause)}`))
  return lines.join('\n')
}

/** The same as data, for `--output json`. */
export function failureDocument(error: unknown, otherwise = 1): FailureDocument {
  const coded = isCodedError(error) ? error : undefined
  return {
    error: {
      code: coded?.code ?? 'INTERNAL',
      message: messageOf(error),
      exitCode: exitCodeFor(error, otherwise),
      ...(coded?.expected === undefined ? {} : { expected: coded.expected }),
      ...(coded?.found === undefined ? {} : { found: coded.found }),
      ...(coded?.hint === undefined ? {} : { hint: coded.hint }),
    },
    ...(hasReport(error) ? { report: error.report } : {}),
  }
}

function hasReport(error: unknown): error is ReportingError {
  return error instanceof Error && 'report' in error
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'something failed without saying what'
}

function causes(error: unknown): readonly string[] {
  const texts: string[] = []
  let cause = error instanceof Error ? error.cause : undefined
  while (cause instanceof Error && texts.length < 8) {
    texts.push(isCodedError(cause) ? `${cause.message} (${cause.code})` : cause.message)
    cause = cause.cause
  }
  return texts
}
