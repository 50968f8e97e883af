/** One attached signature or attestation against one attestor. @module */
import { ALGORITHMS, defaultAlgorithm } from '#crypto/algorithms'
import type { Algorithm } from '#crypto/algorithms'
import { equalBytes } from '#encoding/bytes'
import type { DigestName } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import { decodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import { parseDigest } from '#formats/oci/digest'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { certificateKey } from '#formats/x509/certificate-key'
import type { UnixMillis } from '#time'
import type { Artifact } from '#verify/artifact'
import { VerificationError } from '#verify/errors'
import type { Policy } from '#verify/identity/identity-policy'
import { verifyAttestationClaims, verifyImageClaims } from '#verify/image/image-claims'
import type { Requirements } from '#verify/requirements'
import { withoutEvidence } from '#verify/verification'
import type { Verification } from '#verify/verification'
import { verify } from '#verify/verify'
import type { Attestor, KnownKey } from '../internal/attestor.js'
import type { PinnedImage } from '../internal/image.js'
import type { AcceptedSignature, RejectedSignature, SeenSigner } from '../internal/outcome.js'
import { matchesText } from '../internal/text-match.js'
import { identityPolicy } from './identities.js'
import type { CandidateAttachment } from './ports.js'

/** An attestor whose key and trust are at hand. */
export interface ReadyAttestor {
  readonly attestor: Attestor
  /** Of a key signer. */
  readonly key: KnownKey | undefined
  readonly trust: TrustedRoot
}

/** What the candidate has to be. */
export interface Claimed {
  readonly pinned: PinnedImage
  /** Undefined: a signature on the image. */
  readonly predicateType: string | undefined
  readonly now: UnixMillis
}

export type CandidateOutcome = { readonly accepted: AcceptedSignature } | { readonly rejected: RejectedSignature }

/** Verifies; a refusal is data here, to be told with the others. Errors that are not about the candidate go through. */
export async function judgeCandidate(
  ready: ReadyAttestor,
  candidate: CandidateAttachment,
  claimed: Claimed,
): Promise<CandidateOutcome> {
  const { attestor } = ready
  try {
    const verification = await verifyAs(policyOf(ready), { ready, candidate, claimed })
    checkClaims(verification, attestor, claimed)
    return { accepted: { attestor, verified: withoutEvidence(verification), id: candidate.origin.layer } }
  } catch (error) {
    if (!isCodedError(error) || error.code === 'POLICY_ATTESTOR') throw error
    const seen = error.code === 'VERIFY_IDENTITY' ? await whoSigned({ ready, candidate, claimed }) : undefined
    return { rejected: { error, seen } }
  }
}

interface Judging {
  readonly ready: ReadyAttestor
  readonly candidate: CandidateAttachment
  readonly claimed: Claimed
}

async function verifyAs(policy: Policy, { ready, candidate, claimed }: Judging): Promise<Verification> {
  const { attestor, trust } = ready
  const entity = entityFor(attestor, candidate.entity)
  const verification = await verify({
    entity,
    artifact: artifactOf(candidate, claimed.pinned),
    trust,
    policy,
    requirements: requirementsOf(attestor, entity),
    useEntityIntermediates: true,
    now: claimed.now,
  })
  refuseOtherCertificate(attestor, verification)
  return verification
}

function policyOf({ attestor, key }: ReadyAttestor): Policy {
  const { signer } = attestor
  if (signer.kind === 'keyless') return identityPolicy(signer.anyOf, attestor.name)
  if (signer.kind === 'key' && key !== undefined) {
    const algorithm = signer.algorithm ?? boundAlgorithm(key, signer.digest) ?? algorithmOf(key.key, signer.digest)
    return { kind: 'key', key: key.key, ...(algorithm === undefined ? {} : { algorithm }) }
  }
  // Whoever has a certificate of this chain; which certificate is compared afterwards.
  if (signer.kind === 'certificate' && signer.chain.length > 0) return { kind: 'unsafe-any-identity' }
  if (signer.kind === 'certificate' && signer.certificate !== undefined) {
    const { certificate } = signer
    const validFor = { start: certificate.notBefore, end: certificate.notAfter }
    return { kind: 'key', key: certificateKey(certificate), certificate: certificate.der, validFor }
  }
  throw new VerificationError('VERIFY_POLICY', `${attestor.name} does not say who must have signed`)
}

/** A policy that names another digest than the key is bound to asks for what the key never signs. */
function boundAlgorithm({ algorithm }: KnownKey, digest: DigestName | undefined): Algorithm | undefined {
  if (algorithm === undefined || digest === undefined || algorithm.digest === digest) return algorithm
  return { ...algorithm, digest, verifyOnly: true }
}

/** The digest that a policy names for a key may be another than the key's usual one. */
export function algorithmOf(key: PublicKey, digest: DigestName | undefined): Algorithm | undefined {
  if (digest === undefined) return undefined
  const usual = defaultAlgorithm(key)
  if (usual.digest === undefined || usual.digest === digest) return usual
  const registered = Object.values(ALGORITHMS).find((row) => row.keyType === key.keyType && row.digest === digest)
  return registered ?? { ...usual, digest, verifyOnly: true }
}

/** A certificate without a chain is only a way to write a key, whether the signature came with it or not. */
function entityFor({ signer }: Attestor, entity: SignedEntity): SignedEntity {
  const asKey = signer.kind === 'certificate' && signer.chain.length === 0
  return asKey ? { ...entity, key: { kind: 'public-key', hint: '' } } : entity
}

function refuseOtherCertificate({ signer }: Attestor, { signer: verified }: Verification): void {
  if (signer.kind !== 'certificate' || signer.certificate === undefined || verified.kind !== 'certificate') return
  if (equalBytes(verified.certificate.der, signer.certificate.der)) return
  throw new VerificationError('VERIFY_IDENTITY', 'another certificate of the same authority signed', {
    expected: signer.certificate.subject.text,
    found: verified.certificate.subject.text,
  })
}

function requirementsOf({ signer, evidence }: Attestor, entity: SignedEntity): Requirements {
  const certified = signer.kind === 'keyless' || (signer.kind === 'certificate' && signer.chain.length > 0)
  const logged = evidence.tlog === 'required' || (evidence.tlog === 'if-present' && entity.logEntries.length > 0)
  return {
    transparencyLogs: logged ? 1 : 0,
    timestampAuthorities: evidence.timestamp === 'required' ? 1 : 0,
    // A certificate of minutes is judged at a time that somebody trusted states; at that of admission only if a policy says so.
    timeSources: certified && evidence.unwitnessed !== 'now' ? 1 : 0,
    certificateLogs: certified && evidence.sct === 'required' ? 1 : 0,
    unsafeCurrentTimeIfUnwitnessed: evidence.unwitnessed === 'now',
  }
}

function artifactOf({ payload, entity }: CandidateAttachment, { digest }: PinnedImage): Artifact {
  if (payload !== undefined && entity.content.kind !== 'dsse') return { kind: 'bytes', bytes: payload }
  const { algorithm, hex } = parseDigest(digest)
  return { kind: 'digest', digests: { [algorithm]: decodeHex(hex) } }
}

function checkClaims(verification: Verification, { annotations }: Attestor, { pinned, predicateType }: Claimed): void {
  if (predicateType !== undefined) {
    verifyAttestationClaims(verification, predicateType)
    const [name] = annotations.keys()
    if (name !== undefined) throw lacksAnnotation(name, 'an attestation, which has none')
    return
  }
  const { algorithm, hex } = parseDigest(pinned.digest)
  const claims = verifyImageClaims(verification, { digest: { algorithm, value: decodeHex(hex) } })
  // Of this very signature: one signature's annotations and another's signer make neither acceptable.
  for (const [name, match] of annotations) {
    const value = claims.annotations.get(name)
    if (typeof value === 'string' && matchesText(match, value)) continue
    throw lacksAnnotation(name, value === undefined ? 'none of this name' : JSON.stringify(value).slice(0, 200))
  }
}

function lacksAnnotation(expected: string, found: string): VerificationError {
  return new VerificationError('VERIFY_ANNOTATION', 'the signature does not have a required annotation', {
    expected,
    found,
  })
}

/** Who it was, if it is genuine all the same: told in a refusal, never accepted. */
async function whoSigned(judging: Judging): Promise<SeenSigner | undefined> {
  try {
    const { signer } = await verify({
      entity: judging.candidate.entity,
      artifact: artifactOf(judging.candidate, judging.claimed.pinned),
      trust: judging.ready.trust,
      policy: { kind: 'unsafe-any-identity' },
      requirements: requirementsOf(judging.ready.attestor, judging.candidate.entity),
      useEntityIntermediates: true,
      now: judging.claimed.now,
    })
    if (signer.kind !== 'certificate') return undefined
    return { subjects: signer.identity.subjects.map(({ value }) => value), issuer: signer.identity.issuer }
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}
