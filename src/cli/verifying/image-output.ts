/** What `verify` prints about a signature: cosign's JSON, with the identity. @module */
import { encodeBase64 } from '#encoding/base64'
import type { JsonValue } from '#encoding/json'
import { rekorBundleToJson } from '#formats/cosign-bundle/rekor-bundle'
import { FULCIO_CLAIMS } from '#formats/x509/fulcio-extensions'
import type { ImageClaims } from '#verify/image/image-claims'
import type { Verification } from '#verify/verification'
import { inline } from '../kit/printable.js'
import { identityDocument, verificationDocument } from './document.js'
import type { Accepted } from './image-verification.js'

/** The claims of a signature, or none where they were not to be checked. */
export type OptionalClaims = ImageClaims | undefined

export interface OutputAsk {
  /** The image as it was named. */
  readonly name: string
  readonly digest: string
  /** Also the whole verification with its report. */
  readonly full: boolean
}

/**
 * One element of the printed list. `critical` and `optional` are as cosign prints them, in `optional` also what comes from
 * the certificate and the log (of the old format all of it, as before); `identity` is who signed.
 */
export function signatureDocument(
  { verification, claims, attachment }: Accepted<OptionalClaims>,
  { name, digest, full }: OutputAsk,
): Readonly<Record<string, unknown>> {
  const { signer } = verification
  const facts = certificateFacts(verification)
  const legacy = attachment.payload === undefined ? {} : legacyFacts(verification, attachment.entity.timestamps)
  const optional = { ...saidBy(signer, claims?.annotations ?? NO_ANNOTATIONS), ...facts, ...legacy }
  return {
    critical: {
      identity: { 'docker-reference': claims?.dockerReference ?? name },
      image: { 'docker-manifest-digest': claims?.manifestDigest ?? digest },
      type: claims?.type ?? '',
    },
    optional: Object.keys(optional).length === 0 ? (attachment.payload === undefined ? {} : null) : optional,
    ...(signer.kind === 'certificate' ? { identity: identityDocument(signer.identity) } : {}),
    ...(full ? { verification: verificationDocument(verification) } : {}),
  }
}

const NO_ANNOTATIONS: ReadonlyMap<string, JsonValue> = new Map()

/**
 * The annotations. Beside a certificate none of them may go by the name of what the certificate says: where the certificate is
 * silent, whoever may sign could otherwise name a repository or an issuer in its stead.
 */
function saidBy(
  { kind }: Verification['signer'],
  annotations: ReadonlyMap<string, JsonValue>,
): Readonly<Record<string, JsonValue>> {
  return Object.fromEntries([...annotations].filter(([name]) => kind === 'key' || !CERTIFIED.test(name)))
}

const CERTIFIED = /^(?:Subject|Issuer|Bundle|RFC3161Timestamp|githubWorkflow\w*|1\.3\.6\.1\.4\.1\.57264\..*)$/

/** What `-o text` prints: the payload that was signed, of a bundle what the payload of the old format would have said. */
export function signedText({ claims, attachment }: Accepted<OptionalClaims>, { name, digest }: OutputAsk): string {
  if (attachment.payload !== undefined) return new TextDecoder().decode(attachment.payload)
  const critical = {
    identity: { 'docker-reference': name },
    image: { 'docker-manifest-digest': claims?.manifestDigest ?? digest },
    type: claims?.type ?? '',
  }
  return JSON.stringify({ critical, optional: Object.fromEntries(claims?.annotations ?? []) })
}

const OID_NAMES: ReadonlyMap<string, string> = new Map([
  ['githubWorkflowTrigger', 'githubWorkflowTrigger'],
  ['githubWorkflowSha', 'githubWorkflowSha'],
  ['githubWorkflowName', 'githubWorkflowName'],
  ['githubWorkflowRepository', 'githubWorkflowRepository'],
  ['githubWorkflowRef', 'githubWorkflowRef'],
])

/** Subject, issuer and claims under the names that cosign 2 gave them. */
function certificateFacts({ signer }: Verification): Readonly<Record<string, unknown>> {
  if (signer.kind !== 'certificate') return {}
  const { subjects, issuer, claims } = signer.identity
  const facts: Record<string, unknown> = { Subject: subjects.map(({ value }) => value).join(', ') }
  if (issuer !== undefined) facts['Issuer'] = issuer
  for (const { claim, oid } of FULCIO_CLAIMS) {
    const value = claims[claim]
    if (value === undefined || claim === 'issuer') continue
    facts[oid] = value
    const name = OID_NAMES.get(claim)
    if (name !== undefined) facts[name] = value
  }
  return facts
}

function legacyFacts(
  { logEntries }: Verification,
  timestamps: readonly Uint8Array[],
): Readonly<Record<string, unknown>> {
  const bundle = logEntries.map(({ entry }) => rekorBundleToJson(entry)).find((each) => each !== undefined)
  const [timestamp] = timestamps
  return {
    ...(bundle === undefined ? {} : { Bundle: bundle }),
    ...(timestamp === undefined ? {} : { RFC3161Timestamp: { SignedRFC3161Timestamp: encodeBase64(timestamp) } }),
  }
}

/** The lines of `-o text` about the certificate, for standard error. */
export function certificateLines({ signer }: Verification): readonly string[] {
  if (signer.kind !== 'certificate') return []
  const { subjects, issuer, claims } = signer.identity
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['Certificate subject', subjects.map(({ value }) => value).join(', ')],
    ['Certificate issuer URL', issuer],
    ['GitHub Workflow Trigger', claims.githubWorkflowTrigger],
    ['GitHub Workflow SHA', claims.githubWorkflowSha],
    ['GitHub Workflow Name', claims.githubWorkflowName],
    ['GitHub Workflow Repository', claims.githubWorkflowRepository],
    ['GitHub Workflow Ref', claims.githubWorkflowRef],
  ]
  return lines.flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${inline(value)}`]))
}
