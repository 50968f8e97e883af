/** What the parts of the issuer share: its name, its key, its people, and what has been begun and not finished. @module */
import type { RandomSource } from '#crypto/random'
import type { Signer } from '#crypto/private-key'
import { encodeBase64Url } from '#encoding/base64'
import type { Clock } from '#time'
import { createAttemptLimiter } from './attempts.js'
import type { AttemptLimiter } from './attempts.js'
import { createExpiringMap } from './expiring.js'
import type { ExpiringMap } from './expiring.js'
import type { AuthorizationRequest } from './authorization.js'
import type { DeviceGrant } from './device.js'
import { createFormGuard } from './form-guard.js'
import type { FormGuard } from './form-guard.js'
import { signIdToken } from './id-token.js'
import type { User, UserDirectory } from './users.js'

export interface OidcOptions {
  /** The issuer's URL, no trailing slash; its path is where the routes are. */
  readonly issuer: string
  /** An RSA key with PKCS #1 v1.5 and SHA-256. A promise, since making one takes longer than a start should. */
  readonly signer: Promise<Signer>
  readonly users: UserDirectory
  readonly clock: Clock
  readonly random: RandomSource
  /** The one public client. Default `sigstore`, which every Sigstore client uses. */
  readonly clientId?: string | undefined
  /** Redirect addresses besides those on the loopback interface; compared exactly. */
  readonly redirectUris?: readonly string[] | undefined
  /** Lets whoever knows it have a token for any user without signing in: for `countersign token` on the same machine. */
  readonly localSecret?: string | undefined
  /** Seconds a device shall wait between two questions. Default 5 (RFC 8628 §3.2). */
  readonly deviceInterval?: number | undefined
}

/** A code that was given out and not redeemed yet. */
export interface CodeGrant {
  readonly request: AuthorizationRequest
  readonly user: User
}

export interface Issuer {
  readonly url: string
  /** The path part of the URL, below which all routes are. */
  readonly path: string
  readonly clientId: string
  readonly redirectUris: readonly string[]
  readonly signer: Promise<Signer>
  readonly users: UserDirectory
  readonly clock: Clock
  readonly localSecret: string | undefined
  readonly deviceInterval: number
  readonly forms: FormGuard
  readonly authorizations: ExpiringMap<AuthorizationRequest>
  readonly codes: ExpiringMap<CodeGrant>
  /** By device code. */
  readonly devices: ExpiringMap<DeviceGrant>
  /** Device codes by user code. */
  readonly userCodes: ExpiringMap<string>
  readonly attempts: AttemptLimiter
  readonly random: RandomSource
  /** 256 random bits as a URL-safe text. */
  newToken(): string
  idToken(user: User, nonce: string | undefined): Promise<string>
}

const SECOND = 1000
const MINUTE = 60 * SECOND
export const PAGE_LIFETIME: number = 15 * MINUTE
export const CODE_LIFETIME: number = 2 * MINUTE // RFC 6749 §4.1.2 allows ten
export const DEVICE_LIFETIME: number = 5 * MINUTE
/** Fulcio takes a token within moments of its making, so a stolen one should not live much longer. */
export const TOKEN_LIFETIME: number = 5 * MINUTE

export function createIssuer(options: OidcOptions): Issuer {
  const { clock, random, signer, issuer: url } = options
  const clientId = options.clientId ?? 'sigstore'
  const expiring = <T>(lifetimeMillis: number): ExpiringMap<T> =>
    createExpiringMap<T>({ clock, lifetimeMillis, maxEntries: 10_000 })
  return {
    url,
    path: new URL(url).pathname.replace(/\/$/, ''),
    clientId,
    redirectUris: options.redirectUris ?? [],
    signer,
    users: options.users,
    clock,
    random,
    localSecret: options.localSecret,
    deviceInterval: options.deviceInterval ?? 5,
    forms: createFormGuard(url, random),
    authorizations: expiring(PAGE_LIFETIME),
    codes: expiring(CODE_LIFETIME),
    devices: expiring(DEVICE_LIFETIME),
    userCodes: expiring(DEVICE_LIFETIME),
    attempts: createAttemptLimiter({
      clock,
      lifetimeMillis: 15 * MINUTE,
      maxEntries: 10_000,
      maxFailures: 10,
      maxFailuresInAll: 500,
    }),
    newToken: () => encodeBase64Url(random(32)),
    idToken: async (user, nonce) =>
      signIdToken(await signer, {
        issuer: url,
        audience: clientId,
        user,
        nonce,
        issuedAt: clock(),
        lifetimeMillis: TOKEN_LIFETIME,
      }),
  }
}
