/** Lines for whoever looks after the gate: JSON for machines, words for a terminal. Nothing in them is a secret. @module */
import { isCodedError } from '#errors'
import { formatRfc3339 } from '#time'
import type { Clock } from '#time'

export type LogLevel = 'info' | 'warn' | 'error'
export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  /** Tells an error with its code and its chain of causes. */
  trouble(message: string, error: unknown, fields?: LogFields): void
}

export interface LogOptions {
  readonly format: 'json' | 'text'
  readonly clock: Clock
  /** Takes one line without its end. */
  readonly sink: (line: string) => void
}

export function createLog({ format, clock, sink }: LogOptions): Log {
  const write = (level: LogLevel, message: string, fields: LogFields): void => {
    const time = formatRfc3339(clock())
    sink(
      format === 'json'
        ? JSON.stringify({ time, level, message, ...fields })
        : textLine({ time, level, message, fields }),
    )
  }
  return {
    info: (message, fields = {}) => {
      write('info', message, fields)
    },
    warn: (message, fields = {}) => {
      write('warn', message, fields)
    },
    trouble: (message, error, fields = {}) => {
      write('error', message, { ...fields, ...describe(error) })
    },
  }
}

interface Line {
  readonly time: string
  readonly level: LogLevel
  readonly message: string
  readonly fields: LogFields
}

function textLine({ time, level, message, fields }: Line): string {
  const more = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => ` ${name}=${shown(value)}`)
    .join('')
  // Names and texts come from others; they must not move the cursor.
  return `${time} ${level.padEnd(5)} ${message}${more}`.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}

function shown(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@-]+$/.test(value)) return value
  return JSON.stringify(value)
}

function describe(error: unknown): LogFields {
  if (!(error instanceof Error)) return { error: 'something that is not an error was thrown' }
  const known = isCodedError(error)
  return {
    ...(known && { code: error.code }),
    error: chain(error),
    ...(known && error.hint !== undefined && { hint: error.hint }),
    // A coded error was foreseen; where another one comes from has to be found.
    ...(!known &&
      error.stack !== undefined && {
        stack: error.stack
          .split('\n')
          .slice(1, 6)
          .map((line) => line.trim()),
      }),
  }
}

function chain(error: Error): string {
  const causes: string[] = [error.message]
  let { cause } = error
  while (cause instanceof Error && causes.length < 5) {
    causes.push(cause.message)
    cause = cause.cause
  }
  return causes.join(': ')
}
