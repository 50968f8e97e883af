/** Trusted roots of TUF repositories that policies name themselves: fetched when they are asked for, and again after an hour. @module */
import type { Fetch } from '#clients/http/fetch'
import { PUBLIC_GOOD_MIRROR } from '#clients/tuf/cosign-cache'
import { EMBEDDED_ROOTS } from '#clients/tuf/embedded-roots'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Clock, UnixMillis } from '#time'
import { loadTrustRoot } from './cip/load-trust-root.js'
import { PolicyError } from './internal/policy-error.js'
import type { TrustRepository } from './internal/trust-repository.js'

const MAX_AGE = 3_600_000
/** So soon after a failure it is not tried again. */
const PAUSE = 15_000
/** Policies name a handful; more are an attack on memory. */
const MAX_REPOSITORIES = 100

export type LoadRepository = (repository: TrustRepository) => Promise<TrustedRoot>

/** A loader that remembers. What was had once goes on to count while it cannot be had again; what was never had is asked for again. */
export function keepTrustRepositories(ports: { readonly fetch: Fetch; readonly clock: Clock }): LoadRepository {
  const known = new Map<string, { readonly until: UnixMillis; readonly root: Promise<TrustedRoot> }>()
  return async ({ mirror = PUBLIC_GOOD_MIRROR, root }) => {
    const first = root ?? embedded(mirror)
    const key = `${mirror} ${encodeHex(first)}`
    const now = ports.clock()
    const found = known.get(key)
    if (found !== undefined && now < found.until) return await found.root
    const source = { kind: 'remote', mirror, root: first, target: 'trusted_root.json' } as const
    const loading = loadTrustRoot({ name: mirror, source }, ports)
    if (known.size >= MAX_REPOSITORIES) known.clear()
    known.set(key, { until: now + MAX_AGE, root: loading })
    try {
      return await loading
    } catch (error) {
      known.delete(key)
      if (found === undefined) throw error
      known.set(key, { until: now + PAUSE, root: found.root })
      return await found.root
    }
  }
}

function embedded(mirror: string): Uint8Array {
  const text = EMBEDDED_ROOTS.get(mirror.replace(/\/+$/, ''))
  if (text !== undefined) return encodeUtf8(text)
  throw new PolicyError('POLICY_TRUST_ROOT', `nothing is known of the TUF repository ${mirror.slice(0, 200)}`, {
    hint: 'write its first root metadata into tuf.root.data',
  })
}
