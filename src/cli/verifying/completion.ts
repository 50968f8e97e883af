/** What signatures of old clients lack and the flags add: the certificate, and the log entry. @module */
import type { PublicKey } from '#crypto/public-key'
import type { SignedEntity } from '#formats/signed-entity'
import type { Artifact } from '#verify/artifact'
import type { Host } from '../kit/host.js'
import { loadGivenCertificate, withGivenCertificate } from './given-certificate.js'
import type { LogLookup } from './log-lookup.js'

export interface CompletionFlags {
  readonly certificate: string | undefined
  readonly 'rekor-url': string | undefined
  readonly offline?: boolean
}

export interface CompletionAsk {
  readonly flags: CompletionFlags
  /** The key that must have signed; undefined where a certificate tells. */
  readonly key: PublicKey | undefined
  readonly signal: AbortSignal
  /** Runs what can fail without the entity being at fault. */
  readonly attempt: <T>(work: Promise<T>) => Promise<T>
}

export interface Completing {
  readonly artifact: Artifact
  /** Whether a log entry is asked for. */
  readonly logged: boolean
}

/** Completes an entity. What is added is as unverified as the entity itself. */
export type Completion = (entity: SignedEntity, completing: Completing) => Promise<SignedEntity>

/** @throws as {@link loadGivenCertificate} does; what it returns also VerificationError, RekorError */
export async function prepareCompletion(host: Host, ask: CompletionAsk): Promise<Completion> {
  const { certificate, 'rekor-url': url, offline } = ask.flags
  const given = certificate === undefined ? undefined : await loadGivenCertificate(host, certificate, ask.signal)
  let lookup: Promise<LogLookup> | undefined
  return async (entity, { artifact, logged }) => {
    const certified = given === undefined ? entity : withGivenCertificate(entity, given)
    if (!logged || certified.logEntries.length > 0 || url === undefined || offline === true) return certified
    lookup ??= import('./log-lookup.js').then(async (module) => await module.openLogLookup(host, { ...ask, url }))
    const lookUp = await lookup
    return await lookUp(certified, artifact)
  }
}
