/** Keys at key management services that policies name. @module */
import type { LoadKmsKey } from '#gate/snapshot/kms-keys'
import { PolicyError } from '#policy/internal/policy-error'
import type { CloudOptions } from '../cloud-ports.js'
import { ownKey } from '../keys/services.js'
import type { Host } from '../kit/host.js'

/** Nothing is opened before the first one is asked for. @returns what throws KmsError, CloudError, PolicyError `POLICY_KEY` */
export function kmsKeysOfPolicies(host: Host, options: CloudOptions): LoadKmsKey {
  let opened: Promise<LoadKmsKey> | undefined
  const open = async (): Promise<LoadKmsKey> => {
    const { openKms } = await import('../keys/kms.js')
    const kms = await openKms(host, { ...options, endpoints: 'known' })
    return async (uri, signal) => {
      const { publicKey, algorithm } = await kms.key(uri, signal)
      if (algorithm?.family === 'rsa-pss') throw unsupported(uri)
      return ownKey(publicKey)
    }
  }
  return async (uri, signal) => await (await (opened ??= open()))(uri, signal)
}

/** Of a key policies say the digest and no more: its signatures would be read as PKCS #1 v1.5. */
function unsupported(uri: string): PolicyError {
  return new PolicyError('POLICY_KEY', `the key ${uri} signs with RSA-PSS, which a policy cannot ask for`, {
    expected: 'a key for ECDSA, Ed25519 or RSA PKCS #1 v1.5',
  })
}
