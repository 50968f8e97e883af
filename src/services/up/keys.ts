/** The keys of an instance, made side by side on its first start. @module */
import { generatePrivateKey } from '#crypto/private-key'
import type { AlgorithmName } from '#crypto/algorithms'
import type { PrivateKey } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import type { UnixMillis } from '#time'
import { createCertificateAuthority } from '../fulcio/authority.js'
import { createTimestampAuthority } from '../tsa/chain.js'
import type { KeyMaterial, Vault } from './vault.js'

/** Log keys are P-256, except Rekor v2's: its checkpoints are to be signed with Ed25519 (C2SP tlog-tiles). */
export const LOG_ALGORITHM = 'ecdsa-sha2-256-nistp256'
export const TILES_ALGORITHM = 'ed25519'
const OIDC_ALGORITHM = 'rsa-sign-pkcs1-2048-sha256'

/** Everything that has to be there before the first request. */
export interface InstanceKeys {
  readonly fulcio: KeyMaterial
  readonly tsa: KeyMaterial
  readonly ctlog: PrivateKey
  readonly rekor: PrivateKey
  readonly rekorTiles: PrivateKey
  readonly tufRoot: PrivateKey
  readonly tufOnline: PrivateKey
}

const ORGANIZATION = 'countersign'

export async function loadKeys(
  vault: Vault,
  { now, random }: { readonly now: UnixMillis; readonly random: RandomSource },
): Promise<InstanceKeys> {
  const authority = { organization: ORGANIZATION, now, random }
  const plain = async (name: string, algorithm: AlgorithmName): Promise<PrivateKey> => {
    const make = async (): Promise<KeyMaterial> => ({ key: await generatePrivateKey(algorithm), chain: [] })
    return (await vault.material({ name, algorithm, make })).key
  }
  const [fulcio, tsa, ctlog, rekor, rekorTiles, tufRoot, tufOnline] = await Promise.all([
    // The roots' keys are thrown away: nobody can be issued an authority of this instance by stealing its disk.
    vault.material({ name: 'fulcio', algorithm: LOG_ALGORITHM, make: () => createCertificateAuthority(authority) }),
    vault.material({ name: 'tsa', algorithm: LOG_ALGORITHM, make: () => createTimestampAuthority(authority) }),
    plain('ctlog', LOG_ALGORITHM),
    plain('rekor', LOG_ALGORITHM),
    plain('rekor-tiles', TILES_ALGORITHM),
    plain('tuf-root', LOG_ALGORITHM),
    plain('tuf-online', LOG_ALGORITHM),
  ])
  return { fulcio, tsa, ctlog, rekor, rekorTiles, tufRoot, tufOnline }
}

/** The issuer's key, which nothing waits for at the start: RSA takes its time. */
export async function loadOidcKey(vault: Vault): Promise<PrivateKey> {
  const make = async (): Promise<KeyMaterial> => ({ key: await generatePrivateKey(OIDC_ALGORITHM), chain: [] })
  return (await vault.material({ name: 'oidc', algorithm: OIDC_ALGORITHM, make })).key
}
