/** Making a key pair that is kept elsewhere than in files: see stores/. @module */
import type { PrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { randomBytes } from '#crypto/random'
import { encodeUtf8 } from '#encoding/utf8'
import { sealCosignKey } from '#formats/cosign-key/encrypted-key'
import type { Host } from '../kit/host.js'
import { askPassword } from '../password.js'
import { confirmContinue } from '../prompt.js'
import type { KeyStore } from './stores/key-store.js'

export interface StoredKeyPairOrder {
  readonly makeKey: () => Promise<PrivateKey>
  /** The public key is also written to `<prefix>.pub`. */
  readonly prefix: string
  readonly yes: boolean
}

/** Makes a key pair, stores it, and says so. What is there is asked about first. */
export async function storeNewKeyPair(
  host: Host,
  store: KeyStore,
  { makeKey, prefix, yes }: StoredKeyPairOrder,
): Promise<void> {
  if (!yes && (await store.holds())) {
    host.terminal.note(`WARNING: There is a key pair in ${store.place} already. Overwrite?`)
    await confirmContinue(host)
  }
  const password = await askPassword(host, { twice: true })
  const key = await makeKey()
  const pem = publicKeyToPem(key.publicKey)
  const sealed = encodeUtf8(await sealCosignKey(key.exportPkcs8(), password, randomBytes))
  for (const line of await store.write({ sealed, publicKey: encodeUtf8(pem), password })) host.terminal.note(line)
  await host.files.write(`${prefix}.pub`, pem, { mode: 0o644 })
  host.terminal.note(`Public key written to ${prefix}.pub`)
}
