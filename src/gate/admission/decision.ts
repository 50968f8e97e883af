/** What is answered to one request, and the form in which the API server reads it. @module */
import { encodeBase64 } from '#encoding/base64'
import { encodeUtf8 } from '#encoding/utf8'
import type { PatchOperation } from './pinning.js'

/** Why not, as the API server passes it on. */
export interface DenialStatus {
  readonly code: number
  /** Kubernetes' name for the code. */
  readonly reason: string
  readonly message: string
}

/** An answer. */
export interface Decision {
  readonly uid: string
  /** Undefined: allowed. */
  readonly denial: DenialStatus | undefined
  readonly warnings: readonly string[]
  /** For the API server's audit log. */
  readonly auditAnnotations: Readonly<Record<string, string>>
  /** Only of what is allowed. */
  readonly patch: readonly PatchOperation[]
}

/** A message of megabytes would be passed on to everybody who looks at the events of a ReplicaSet. */
const MAX_MESSAGE = 16_384
/** The API server itself cuts the warnings of a request at some 4,096 characters in all. */
const MAX_WARNINGS = 20
const MAX_WARNING = 1024
const MAX_ANNOTATION = 4096

/** The AdmissionReview of admission.k8s.io/v1 that carries a decision. */
export function answerOf({ uid, denial, warnings, auditAnnotations, patch }: Decision): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    response: {
      uid,
      allowed: denial === undefined,
      ...(denial !== undefined && {
        status: {
          status: 'Failure',
          code: denial.code,
          reason: denial.reason,
          message: cut(denial.message, MAX_MESSAGE),
        },
      }),
      ...(warnings.length > 0 && { warnings: warnings.slice(0, MAX_WARNINGS).map(warningLine) }),
      ...(Object.keys(auditAnnotations).length > 0 && { auditAnnotations: annotationTexts(auditAnnotations) }),
      ...(denial === undefined &&
        patch.length > 0 && { patchType: 'JSONPatch', patch: encodeBase64(encodeUtf8(JSON.stringify(patch))) }),
    },
  }
}

/** Warnings travel in a header (RFC 7234 §5.5), which has one line and no control characters. */
function warningLine(text: string): string {
  return cut(
    text
      .trim()
      .replace(/\s*\n\s*/g, '; ')
      .replace(/[\u0000-\u001f\u007f-\u009f]/g, ' '),
    MAX_WARNING,
  )
}

function annotationTexts(annotations: Decision['auditAnnotations']): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(annotations).map(([name, text]) => [name, cut(text, MAX_ANNOTATION)]))
}

function cut(text: string, length: number): string {
  if (text.length <= length) return text
  // Never through the middle of a pair of surrogates.
  const kept = text.slice(0, length).replace(/[\ud800-\udbff]$/, '')
  return `${kept}… (${String(text.length - kept.length)} more characters)`
}
