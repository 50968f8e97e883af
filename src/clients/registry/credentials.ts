/** How to prove to a registry who is asking. @module */
import type { Repository } from '#formats/oci/reference'
import type { Clock } from '#time'

/** One way to sign in. Everything but the kind and the user name is secret. */
export type Credentials =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, to be traded for access tokens. */
  | { readonly kind: 'identity-token'; readonly token: string }
  /** A bearer token that the registry takes as it is. */
  | { readonly kind: 'registry-token'; readonly token: string }

/** Finds credentials for a repository; anonymous when there are none. */
export type Keychain = (repository: Repository) => Promise<Credentials>

export const ANONYMOUS: Credentials = { kind: 'anonymous' }

/** The first of several keychains that has something. */
export function firstOf(...keychains: readonly Keychain[]): Keychain {
  return async (repository) => {
    for (const keychain of keychains) {
      const credentials = await keychain(repository)
      if (credentials.kind !== 'anonymous') return credentials
    }
    return ANONYMOUS
  }
}

/** A keychain that is made anew after a while, for processes that outlive what a keychain remembers. */
export function renewed(
  create: () => Keychain,
  { millis, clock }: { readonly millis: number; readonly clock: Clock },
): Keychain {
  let current: { readonly keychain: Keychain; readonly until: number } | undefined
  return (repository) => {
    if (current === undefined || current.until <= clock()) current = { keychain: create(), until: clock() + millis }
    return current.keychain(repository)
  }
}

/** What `--registry-username`, `--registry-password` and `--registry-token` say. */
export interface ExplicitCredentials {
  readonly username?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
}

/** Credentials given by hand: for every registry, and before any other. */
export function explicitKeychain({ username = '', password = '', token = '' }: ExplicitCredentials): Keychain {
  const given: Credentials =
    token !== ''
      ? { kind: 'registry-token', token }
      : username !== '' || password !== ''
        ? { kind: 'basic', username, password }
        : ANONYMOUS
  return () => Promise.resolve(given)
}
