/** How people sign in to an instance: anybody, people from a file, or at somebody else's issuer. @module */
import type { Signer } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import type { Clock } from '#time'
import type { Route } from '#serving/routes'
import { oidcRoutes } from '../oidc/oidc.js'
import { developmentUsers, listedUsers } from '../oidc/users.js'
import type { UserRecord } from '../oidc/users.js'
import { UpError } from './errors.js'

export type SignIn =
  /** Believes any address. */
  | { readonly kind: 'development' }
  | { readonly kind: 'listed'; readonly users: readonly UserRecord[] }
  /** A provider elsewhere; this instance then has no sign-in pages. */
  | { readonly kind: 'external'; readonly issuer: string; readonly clientId: string }

export interface SignInOptions {
  readonly signIn: SignIn
  readonly url: string
  /** Not awaited here: an RSA key takes longer to make than everything else together. */
  readonly signer: () => Promise<Signer>
  readonly clock: Clock
  readonly random: RandomSource
  readonly localSecret: string
  readonly deviceInterval?: number | undefined
}

/** Who vouches for people, and the routes where it does. */
export interface SignInService {
  readonly issuer: string
  readonly clientId: string
  readonly routes: readonly Route[]
  /** What buys tokens without a page; only at a development issuer. */
  readonly localSecret: string | undefined
}

const CLIENT_ID = 'sigstore'
/** Below the origin, so that Sigstore's own paths and the issuer's do not meet. */
const OIDC_PATH = '/oidc'

export function createSignIn(options: SignInOptions): SignInService {
  const { signIn, url, signer, clock, random, deviceInterval } = options
  if (signIn.kind === 'external')
    return { issuer: signIn.issuer, clientId: signIn.clientId, routes: [], localSecret: undefined }
  const issuer = `${url}${OIDC_PATH}`
  const users = signIn.kind === 'listed' ? listedUsers(signIn.users) : developmentUsers()
  const localSecret = signIn.kind === 'development' ? options.localSecret : undefined
  const key = signer()
  key.catch(() => undefined) // reported where it is awaited; until then it must not count as unhandled
  return {
    issuer,
    clientId: CLIENT_ID,
    routes: oidcRoutes({ issuer, signer: key, users, clock, random, localSecret, deviceInterval }),
    localSecret,
  }
}

const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * A sign-in that believes everybody must not be reachable by everybody.
 * @throws UpError UP_OPEN_SIGN_IN
 */
export function requireClosedSignIn(signIn: SignIn, host: string): void {
  if (signIn.kind !== 'development' || LOOPBACK.has(host)) return
  throw new UpError('UP_OPEN_SIGN_IN', 'whoever reaches this address could sign in as anybody', {
    expected: 'a loopback address, people from a file (--users), or a provider (--oidc-issuer)',
    found: `--host ${host}`,
    hint: 'for a closed network: --insecure-open-sign-in',
  })
}
