/** What is concluded when nothing attached to an image was accepted. @module */
import { isCodedError } from '#errors'
import { inline } from '../kit/printable.js'
import type { Judged } from './image-verification.js'
import { VerdictError } from './verdict.js'

/** The error for an image without an acceptable signature. */
export function noSignature({ failures, report, found }: Judged<unknown>, name: string): VerdictError {
  if (failures.length === 0) {
    return new VerdictError('VERDICT_NO_SIGNATURE', 'no signatures found', {
      found:
        found.passedOver.length === 0
          ? undefined
          : `attestations (${distinct(found.passedOver)}), which are no signatures`,
      hint:
        found.passedOver.length === 0
          ? `sign it: countersign sign ${name}`
          : 'attestations are verified with verify-attestation and their type',
      report,
    })
  }
  const uncertified = failures.every((error) => isCodedError(error) && error.code === 'VERIFY_CERTIFICATE_EXPECTED')
  return new VerdictError(
    uncertified ? 'VERDICT_NO_CERTIFICATE' : 'VERDICT_NO_MATCH',
    `no matching signatures: ${messages(failures)}`,
    { ...detailOf(failures), report },
  )
}

/** The error for an image without an acceptable attestation of a type. */
export function noAttestation(
  { failures, report, found }: Judged<unknown>,
  { type }: { readonly type: string },
): VerdictError {
  if (failures.length > 0) {
    return new VerdictError('VERDICT_NO_MATCH', `no matching attestations: ${messages(failures)}`, {
      ...detailOf(failures),
      report,
    })
  }
  if (found.passedOver.length > 0) {
    return new VerdictError(
      'VERDICT_NO_MATCH',
      `none of the attestations matched the predicate type: ${type}, found: ${distinct(found.passedOver)}`,
      {
        hint: 'name the type with --type',
        report,
      },
    )
  }
  return new VerdictError('VERDICT_NO_ATTESTATION', 'no matching attestations: none are attached to the image', {
    report,
  })
}

function messages(failures: readonly unknown[]): string {
  return failures.map((error) => (error instanceof Error ? error.message : 'unknown')).join('\n ')
}

/** Of several failures the first one's detail stands for all; the report has the rest. */
function detailOf([first]: readonly unknown[]): {
  readonly expected?: string | undefined
  readonly found?: string | undefined
  readonly hint?: string | undefined
  readonly cause?: unknown
} {
  if (!isCodedError(first)) return {}
  const { expected, found, hint } = first
  return { expected, found, hint: hint ?? 'every check is shown with --explain', cause: first }
}

function distinct(types: readonly string[]): string {
  return [...new Set(types)].map(inline).join(',')
}
