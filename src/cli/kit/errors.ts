/** What can go wrong on the command line itself, and the exit code of every error. @module */
import { CodedError } from '#errors'

export type UsageErrorCode =
  /** There is no command of this name. */
  | 'USAGE_UNKNOWN_COMMAND'
  /** The command has no such flag. */
  | 'USAGE_UNKNOWN_FLAG'
  /** A flag that takes a value was given none. */
  | 'USAGE_FLAG_ARGUMENT'
  /** The value of a flag, or of the variable that stands for it, is not of the kind it takes. */
  | 'USAGE_FLAG_VALUE'
  /** A flag that is needed was not given. */
  | 'USAGE_FLAG_MISSING'
  /** Flags were given that contradict each other. */
  | 'USAGE_FLAG_CONFLICT'
  /** There are too many or too few arguments. */
  | 'USAGE_ARGUMENTS'

/** A command line that cannot be understood; nothing has been done yet. */
export class UsageError extends CodedError<UsageErrorCode> {
  override readonly name = 'UsageError'
}

export type CliErrorCode =
  /** A file cannot be read or written. */
  | 'CLI_FILE'
  /** A file is not there. */
  | 'CLI_FILE_MISSING'
  /** A file, a variable or an answer holds something else than it should. */
  | 'CLI_INPUT'
  /** The person at the terminal said no. */
  | 'CLI_PROMPT_DECLINED'
  /** The answer at the terminal was neither yes nor no. */
  | 'CLI_PROMPT_ANSWER'
  /** The two passwords typed differ. */
  | 'CLI_PASSWORD_MISMATCH'
  /** A password is needed and there is nobody to type it. */
  | 'CLI_PASSWORD_UNAVAILABLE'
  /** The command took longer than `--timeout`. */
  | 'CLI_TIMEOUT'
  /** Where a key pair should be stored there is one already, which cannot be replaced. */
  | 'CLI_KEY_EXISTS'
  /** This can be asked for, and is not done yet. */
  | 'CLI_UNSUPPORTED'

/** A command that cannot go on for a reason outside the formats: a file, an answer, the time. */
export class CliError extends CodedError<CliErrorCode> {
  override readonly name = 'CliError'
}

/**
 * Exit codes that scripts written for cosign look at. Everything else is 1.
 * 10: there is no signature, 11: there is no such tag, 12: no signature matched, 13: a signature has no certificate.
 */
export const EXIT_CODES: ReadonlyMap<string, number> = new Map([
  ['VERDICT_NO_SIGNATURE', 10],
  ['VERDICT_NO_ATTESTATION', 10],
  ['VERDICT_TAG_NOT_FOUND', 11],
  ['VERDICT_NO_MATCH', 12],
  ['VERDICT_NO_CERTIFICATE', 13],
])

/** The exit code for an error's code. */
export function exitCodeOf(code: string, otherwise = 1): number {
  return EXIT_CODES.get(code) ?? otherwise
}
