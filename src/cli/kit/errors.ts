/** What can go wrong on the command line itself, and the exit code of every error. @module */
import { CodedError } from '#errors'

export type UsageErrorCode =
  | 'USAGE_UNKNOWN_COMMAND'
  | 'USAGE_UNKNOWN_FLAG'
  | 'USAGE_FLAG_ARGUMENT'
  | 'USAGE_FLAG_VALUE'
  | 'USAGE_FLAG_MISSING'
  | 'USAGE_FLAG_CONFLICT'
  | 'USAGE_ARGUMENTS'

/** A command line that cannot be understood; nothing has been done yet. */
export class UsageError extends CodedError<UsageErrorCode> {
  override readonly name = 'UsageError'
}

export type CliErrorCode =
  | 'CLI_FILE'
  | 'CLI_FILE_MISSING'
  | 'CLI_INPUT'
  | 'CLI_PROMPT_DECLINED'
  | 'CLI_PROMPT_ANSWER'
  | 'CLI_PASSWORD_MISMATCH'
  | 'CLI_PASSWORD_UNAVAILABLE'
  | 'CLI_TIMEOUT'
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
export function exitCodeOf(code: string): number {
  return EXIT_CODES.get(code) ?? 1
}
