/** Whom an inventory trusts, and one name for all that its trust hangs on. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { SignedEntity } from '#formats/signed-entity'
import { trustedRootToJson } from '#formats/trusted-root/serialize'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Artifact } from '#verify/artifact'
import type { IdentityRequirement, Policy, TextRequirement } from '#verify/identity/identity-policy'
import type { Verification } from '#verify/verification'
import type { Signer } from './model.js'

/** Signers of one kind of attestation. */
export interface TrustedSigners {
  /** Who they are, in words. */
  readonly names: readonly string[]
  /** @throws VerificationError and others, coded, for what they did not sign */
  readonly verify: (entity: SignedEntity, artifact: Artifact) => Promise<Verification>
}

export interface TrustPorts {
  readonly fingerprint: string
  readonly sboms: TrustedSigners
  /** Nobody, if absent: what excuses a vulnerability must come from somebody who was named for it. */
  readonly vex: TrustedSigners | undefined
}

/** All that decides whether an attestation counts. */
export interface TrustContent {
  readonly sboms: Policy
  readonly vex: Policy | undefined
  /** How much evidence is asked for. */
  readonly evidence: JsonObject
  /** Absent where a known key needs none. */
  readonly root: TrustedRoot | undefined
}

/**
 * Changes whenever something could count under one trust and not under another. What was verified under one fingerprint is
 * never believed under another.
 */
export function trustFingerprint({ sboms, vex, evidence, root }: TrustContent): string {
  const content: JsonObject = {
    sboms: policyToJson(sboms),
    vex: vex === undefined ? null : policyToJson(vex),
    evidence,
    root: root === undefined ? null : trustedRootToJson(root, '0.2'),
  }
  return encodeHex(sha256(encodeUtf8(canonicalize(content))))
}

function policyToJson(policy: Policy): JsonValue {
  if (policy.kind === 'key') return { key: encodeHex(policy.key.id), algorithm: policy.algorithm?.name ?? null }
  if (policy.kind === 'unsafe-any-identity') return 'anyone'
  return policy.anyOf.map(({ subject, issuer, claims = {} }) => ({
    subject: textToJson(subject),
    issuer: textToJson(issuer),
    claims: Object.fromEntries(Object.entries(claims).map(([claim, text]) => [claim, textToJson(text)])),
  }))
}

function textToJson(text: TextRequirement): JsonObject {
  if ('exact' in text) return { exact: text.exact }
  if ('allOf' in text) return { allOf: text.allOf.map(textToJson) }
  return 'unsafePattern' in text ? { pattern: text.unsafePattern.source } : { part: text.unsafePart.source }
}

/** The signers that a policy names, in words. */
export function describePolicy(policy: Policy): readonly string[] {
  if (policy.kind === 'key') return [keyName(policy.key.id)]
  if (policy.kind === 'unsafe-any-identity') return ['anyone']
  return policy.anyOf.map(describeIdentity)
}

function describeIdentity({ subject, issuer, claims = {} }: IdentityRequirement): string {
  const further = Object.entries(claims).map(([claim, text]) => `, ${claim} ${describeText(text)}`)
  return `${describeText(subject)} (${describeText(issuer)})${further.join('')}`
}

function describeText(text: TextRequirement): string {
  if ('exact' in text) return text.exact
  if ('allOf' in text) return text.allOf.map(describeText).join(' and ')
  return 'unsafePattern' in text ? `/${text.unsafePattern.source}/` : `/…${text.unsafePart.source}…/`
}

/** Who signed, out of a verification. */
export function signerOf({ signer }: Verification): Signer {
  if (signer.kind === 'key') return { identity: keyName(signer.key.id), issuer: undefined }
  const { subjects, issuer } = signer.identity
  return { identity: subjects.map(({ value }) => value).join(', '), issuer }
}

function keyName(id: Uint8Array): string {
  return `key ${encodeHex(id)}`
}
