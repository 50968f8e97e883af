/** The one base of every error that a caller may branch on. @module */

/** What a coded error can say beyond its sentence. None of it may hold a secret. */
export interface ErrorDetail {
  /** What would have been right. */
  readonly expected?: string | undefined
  /** What was there instead. */
  readonly found?: string | undefined
  /** What the reader can do next. */
  readonly hint?: string | undefined
  /** The underlying error, for the log only. */
  readonly cause?: unknown
}

// The command line is built as one bundle a command, so `instanceof` does not hold across bundles; the brand does.
const BRAND = Symbol.for('countersign.CodedError')

/**
 * An error with a stable code. Every module declares its own closed union of codes and a subclass;
 * texts may change between releases, codes do not (docs/errors.md lists them).
 */
export class CodedError<Code extends string = string> extends Error {
  readonly code: Code
  readonly expected: string | undefined
  readonly found: string | undefined
  readonly hint: string | undefined

  constructor(code: Code, message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause })
    Object.defineProperty(this, BRAND, { value: true })
    this.code = code
    this.expected = detail.expected
    this.found = detail.found
    this.hint = detail.hint
  }
}

/** Whether a caught value is a {@link CodedError}, from whichever bundle it was thrown. */
export function isCodedError(error: unknown): error is CodedError {
  return error instanceof Error && BRAND in error
}
