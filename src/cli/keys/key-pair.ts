/** Writing a key pair to two files, the private one encrypted. @module */
import type { PrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { randomBytes } from '#crypto/random'
import { sealCosignKey } from '#formats/cosign-key/encrypted-key'
import type { Host } from '../kit/host.js'
import { confirmOverwrite } from '../prompt.js'

export interface KeyPairFiles {
  readonly prefix: string
  readonly password: Uint8Array
  readonly yes: boolean
}

/** Writes `<prefix>.key` (0600) and `<prefix>.pub` (0644), and says so. */
export async function writeKeyPair(
  host: Host,
  key: PrivateKey,
  { prefix, password, yes }: KeyPairFiles,
): Promise<void> {
  const [privatePath, publicPath] = [`${prefix}.key`, `${prefix}.pub`]
  await confirmOverwrite(host, privatePath, { yes })
  const sealed = await sealCosignKey(key.exportPkcs8(), password, randomBytes)
  await host.files.write(privatePath, sealed, { mode: 0o600 })
  host.terminal.note(`Private key written to ${privatePath}`)
  await host.files.write(publicPath, publicKeyToPem(key.publicKey), { mode: 0o644 })
  host.terminal.note(`Public key written to ${publicPath}`)
}
