/** `generate-key-pair --kms`: a key that is made at its service, of which only the public half comes here. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import { publicKeyToPem } from '#crypto/public-key'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { createKeyAtService } from './services.js'

export interface KmsKeyPairAsk {
  readonly uri: string
  /** What the command was given besides, where a key in files or elsewhere is named. */
  readonly args: readonly string[]
  /** Undefined where nothing was said: a key that is there may be for any. */
  readonly algorithm: AlgorithmName | undefined
  readonly prefix: string
  readonly signal: AbortSignal
}

/**
 * Makes the key unless it is there, writes `<prefix>.pub` (0644), and says so. If writing fails, the same command finds the key again.
 * @throws {@link UsageError} USAGE_FLAG_CONFLICT; KmsError, CloudError
 */
export async function generateKmsKeyPair(
  host: Host,
  { uri, args, algorithm, prefix, signal }: KmsKeyPairAsk,
): Promise<void> {
  const [elsewhere] = args
  if (elsewhere !== undefined) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'a key is made in one place', {
      expected: '--kms, or the name of another place',
      found: 'both',
    })
  }
  const { publicKey, origin } = await createKeyAtService(host, uri, { algorithm, signal })
  if (origin === 'existing') host.terminal.note('The key is there already: no other one was made')
  const path = `${prefix}.pub`
  await host.files.write(path, publicKeyToPem(publicKey), { mode: 0o644 })
  host.terminal.note(`Public key written to ${path}`)
}
