/**
 * The report of a verification: every check by name, in the order of the client specification, with its outcome.
 *
 * @module
 */
import { isCodedError } from '#errors'
import { VerificationError } from './errors.js'
import type { VerificationErrorCode } from './errors.js'

/**
 * The checks in the order in which they are made (client-spec §4.2 to §4.5), with the question each one answers.
 * A check can occur several times, once for each thing it looks at, or once as skipped.
 */
export const CHECKS = {
  entity: 'The signed entity has the form that the policy can judge',
  timestamp: 'A timestamp of a trusted authority is over this signature',
  'log-promise': 'A trusted log promised, at a signed time, to include the entry',
  'verified-time': 'Enough independent sources say when the signature existed',
  'key-validity': 'The managed key was valid at every verified time',
  'certificate-path': 'The certificate leads to a trusted authority at every verified time',
  'certificate-timestamp': 'The certificate was submitted to trusted certificate transparency logs',
  identity: 'The certificate names an allowed identity',
  'log-inclusion': 'A trusted log includes the entry under a checkpoint it signed',
  'log-entry-binding': 'The entry is about this artifact, this signature and this certificate or key',
  'log-threshold': 'Enough distinct logs have the entry',
  signature: 'The signature was made by the certified or managed key',
  artifact: 'What was signed is this artifact',
} as const

/** The name of one check. */
export type CheckName = keyof typeof CHECKS

/** How one check ended. */
export type CheckStatus = 'passed' | 'failed' | 'skipped'

/** One line of the report. */
export interface CheckResult {
  readonly name: CheckName
  readonly status: CheckStatus
  /** Which of several things was looked at, as `tlogEntries[0]`; absent where there is one only. */
  readonly of?: string
  /** What was established, why it failed, or why it was skipped. */
  readonly detail: string
  readonly code?: string
  readonly expected?: string
  readonly found?: string
  readonly hint?: string
}

/** Every check of one verification, in order. */
export type Report = readonly CheckResult[]

/** The name of a check, and which of several things it looks at. */
export interface CheckSubject {
  readonly name: CheckName
  readonly of?: string
  /** The code for a refusal that comes from below (a parser, a key), whose own code stays in `cause`. */
  readonly code: VerificationErrorCode
}

/** Records checks as they happen; the only writer of a {@link Report}. */
export class ReportBuilder {
  readonly #results: CheckResult[] = []

  /** Records that a check was made and what it established. */
  passed(name: CheckName, detail: string, of?: string): void {
    this.#results.push(of === undefined ? { name, status: 'passed', detail } : { name, status: 'passed', of, detail })
  }

  /** Records that a check was not made, and why that is right. */
  skipped(name: CheckName, detail: string, of?: string): void {
    this.#results.push(of === undefined ? { name, status: 'skipped', detail } : { name, status: 'skipped', of, detail })
  }

  /** Makes a check, recording its failure; a success is the caller's to describe. */
  async check<T>(subject: CheckSubject, action: () => T | Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw this.failed(subject, error)
    }
  }

  /**
   * Records a failed check and gives the error to throw, with the report as it then stands.
   * What is not a coded error is a defect of this program and is given back as it is.
   */
  failed(subject: CheckSubject, error: unknown): unknown {
    if (!isCodedError(error)) return error
    const code = error instanceof VerificationError ? error.code : subject.code
    const detail = {
      ...(error.expected !== undefined && { expected: error.expected }),
      ...(error.found !== undefined && { found: error.found }),
      ...(error.hint !== undefined && { hint: error.hint }),
    }
    this.#results.push({
      name: subject.name,
      status: 'failed',
      ...(subject.of !== undefined && { of: subject.of }),
      detail: error.message,
      code: error.code,
      ...detail,
    })
    this.#notReached()
    const cause = error instanceof VerificationError ? error.cause : error
    return new VerificationError(code, error.message, { ...detail, cause, report: this.finish() })
  }

  /** The report so far, frozen. */
  finish(): Report {
    return Object.freeze([...this.#results])
  }

  #notReached(): void {
    const seen = new Set(this.#results.map((result) => result.name))
    for (const name of Object.keys(CHECKS) as CheckName[]) {
      if (!seen.has(name)) this.skipped(name, 'not reached: an earlier check failed')
    }
  }
}
