/** The signer's own verification of what it is about to hand out. @module */
import { isCodedError } from '#errors'
import type { SignedEntity } from '#formats/signed-entity'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { Clock } from '#time'
import type { Policy } from '#verify/identity/identity-policy'
import type { Requirements } from '#verify/requirements'
import { verify } from '#verify/verify'
import { type SelfCheck, unverifiable } from './sign.js'

export interface SelfCheckOptions {
  readonly trust: TrustedRoot
  readonly clock: Clock
  /** The certificate comes from a Fulcio, so it must show that it was published. */
  readonly published: boolean
  /** Whether there is a trusted root to hold the witnesses against; if not, only the signature itself is checked. */
  readonly witnessed: boolean
}

/**
 * Verifies a finished signature as a verifier would: the certificate's path and publication, every witness that was asked,
 * that each of them speaks of this very signature, and the signature itself. Only who signed is left open: the signer knows.
 */
export function selfCheck({ trust, clock, published, witnessed }: SelfCheckOptions): SelfCheck {
  return async (finished) => {
    const { entity, artifact, credential, witnesses } = finished
    const judged: SignedEntity = witnessed
      ? entity
      : { ...entity, key: { kind: 'public-key', hint: '' }, logEntries: [], timestamps: [] }
    const certified = judged.key.kind === 'certificates'
    const times =
      judged.timestamps.length + judged.logEntries.filter((entry) => entry.integratedTime !== undefined).length
    const requirements: Requirements = {
      transparencyLogs: witnessed ? witnesses.logs.length : 0,
      timestampAuthorities: witnessed ? witnesses.timestampAuthorities.length : 0,
      timeSources: certified ? times : 0,
      certificateLogs: published && trust.ctlogs.length > 0 ? 1 : 0,
      unsafeCurrentTimeIfUnwitnessed: certified && times === 0,
    }
    const { publicKey, algorithm } = credential.signer
    const policy: Policy = certified ? { kind: 'unsafe-any-identity' } : { kind: 'key', key: publicKey, algorithm }
    try {
      await verify({
        entity: judged,
        artifact: artifact ?? { kind: 'unsafe-any-subject' },
        trust: withOwnChain(trust, entity, published),
        policy,
        requirements,
        now: clock(),
      })
    } catch (error) {
      if (isCodedError(error)) throw unverifiable(error)
      throw error
    }
  }
}

/** Somebody who brings a certificate with its chain is their own authority here; what verifiers trust is up to them. */
function withOwnChain(trust: TrustedRoot, { key }: SignedEntity, published: boolean): TrustedRoot {
  if (published || key.kind !== 'certificates') return trust
  const [, ...chain] = key.chain.map((der) => parseCertificate(der))
  if (chain.length === 0) return trust
  const own = { uri: '', subject: undefined, chain, validFor: {} }
  return { ...trust, certificateAuthorities: [...trust.certificateAuthorities, own] }
}

/** For the rare signer that has nothing to check against: no witness, no certificate. The signature itself is still checked. */
export const NO_TRUST: TrustedRoot = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }
