/** Keys at key management services that policies name. @module */
import type { LoadKmsKey } from '#gate/snapshot/kms-keys'
import type { CloudOptions } from '../cloud-ports.js'
import { ownKnownKey } from '../keys/services.js'
import type { Host } from '../kit/host.js'

/** Nothing is opened before the first one is asked for. @returns what throws KmsError, CloudError */
export function kmsKeysOfPolicies(host: Host, options: CloudOptions): LoadKmsKey {
  let opened: Promise<LoadKmsKey> | undefined
  const open = async (): Promise<LoadKmsKey> => {
    const { openKms } = await import('../keys/kms.js')
    const kms = await openKms(host, { ...options, endpoints: 'known' })
    return async (uri, signal) => {
      return ownKnownKey(await kms.key(uri, signal))
    }
  }
  return async (uri, signal) => await (await (opened ??= open()))(uri, signal)
}
