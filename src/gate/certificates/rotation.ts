/**
 * How certificates follow one another, as a function: the next one is announced before it is shown, and the one before it is believed
 * until nobody shows it any longer. At every moment each replica shows a certificate that every API server believes.
 *
 * @module
 */
import { parsePem } from '#encoding/pem'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { UnixMillis } from '#time'
import type { ServingCertificate } from './issue.js'

/** What all replicas share. */
export interface CertificateState {
  /** What is shown. */
  readonly current: ServingCertificate
  /** What will be shown once it is believed everywhere. */
  readonly next: Announced | undefined
  /** The authority of what was shown before, and may still be for moments. PEM. */
  readonly previous: { readonly authority: string; readonly since: UnixMillis } | undefined
}

export interface Announced {
  readonly certificate: ServingCertificate
  /** When the webhook configurations were first seen to have its authority. Undefined until then. */
  readonly since: UnixMillis | undefined
}

export interface RotationView {
  readonly now: UnixMillis
  /** The webhook configurations that ask for it have the bundle of this state. */
  readonly bundleIsOut: boolean
  readonly issue: () => Promise<ServingCertificate>
}

const HOUR = 3_600_000
/** A third of a certificate's life. */
const RENEW_BEFORE = 30 * 24 * HOUR
/** From a webhook configuration's change until every API server knows it: seconds, and some more. */
const SETTLE = 10 * 60_000
/** From the change of the shared state until every replica shows the new certificate, and connections of before have ended. */
const RETIRE = HOUR

/** The state that follows, or undefined if there is nothing to do yet. */
export async function nextState(state: CertificateState, view: RotationView): Promise<CertificateState | undefined> {
  const { current, next, previous } = state
  const { now } = view
  if (next !== undefined) {
    const shown = { current: next.certificate, next: undefined, previous: { authority: current.authority, since: now } }
    // One that has expired is believed by nobody: nothing is lost by going on at once.
    if (isExpired(current, now)) return shown
    if (!view.bundleIsOut) return undefined
    if (next.since === undefined) return { ...state, next: { ...next, since: now } }
    return now < next.since + SETTLE ? undefined : shown
  }
  if (previous !== undefined && now >= previous.since + RETIRE) return { ...state, previous: undefined }
  if (now < expiryOf(current) - RENEW_BEFORE) return undefined
  return { ...state, next: { certificate: await view.issue(), since: undefined } }
}

/** Everything that API servers have to believe: PEM certificates, one after the other. */
export function bundleOf({ current, next, previous }: CertificateState): string {
  const authorities = [current.authority, next?.certificate.authority, previous?.authority]
  return [...new Set(authorities)].flatMap((authority) => authority ?? []).join('')
}

/** When the certificate or its authority ceases to be valid, whichever is first. */
export function expiryOf({ authority, certificate }: ServingCertificate): UnixMillis {
  const ends = [authority, certificate].flatMap(parsePem).map(({ bytes }) => parseCertificate(bytes).notAfter)
  return Math.min(...ends)
}

/** Whether nobody believes it any longer. */
export function isExpired(certificate: ServingCertificate, now: UnixMillis): boolean {
  return now >= expiryOf(certificate)
}
