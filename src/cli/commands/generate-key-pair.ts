/** `countersign generate-key-pair`. @module */
import { generatePrivateKey } from '#crypto/private-key'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import type { KeyStore } from '../keys/stores/key-store.js'
import { openKeyStore } from '../keys/stores/open.js'
import { writeKeyPair } from '../keys/key-pair.js'
import { generateKmsKeyPair } from '../keys/kms-key-pair.js'
import { askPassword } from '../password.js'
import { storeNewKeyPair } from '../keys/stored-key-pair.js'
import { confirmationFlag } from '../flags/signing.js'

export const command: Command = defineCommand({
  name: 'generate-key-pair',
  summary: 'Make a key pair for signing',
  description:
    'Writes cosign.key, encrypted under a password, and cosign.pub. The password is typed, or taken from COSIGN_PASSWORD or standard input. ' +
    'With PLACE the private key, the public key and the password go to a Secret of the cluster (k8s://NAMESPACE/SECRET), to the variables of a project or group of GitLab ' +
    '(gitlab://PROJECT; GITLAB_TOKEN, GITLAB_HOST) or to the secrets of a repository or organisation of GitHub (github://OWNER/REPOSITORY; GITHUB_TOKEN, GITHUB_HOST), and only cosign.pub is written here. ' +
    'With --kms the key is made at its service and stays there, and only cosign.pub is written; a key that is there already is left as it is.',
  args: { usage: '[PLACE]', max: 1 },
  flags: {
    kms: {
      kind: 'string',
      placeholder: 'ADDRESS',
      help: 'make the key at a key management service: awskms:///alias/NAME, gcpkms://…, azurekms://…, hashivault://KEY',
    },
    'output-key-prefix': {
      kind: 'string',
      default: 'cosign',
      placeholder: 'NAME',
      help: 'write NAME.key and NAME.pub',
    },
    'signing-algorithm': {
      kind: 'string',
      choices: [
        'ecdsa-sha2-256-nistp256',
        'ecdsa-sha2-384-nistp384',
        'ecdsa-sha2-512-nistp521',
        'ed25519',
        'rsa-sign-pkcs1-3072-sha256',
        'rsa-sign-pkcs1-4096-sha256',
      ],
      default: 'ecdsa-sha2-256-nistp256',
      placeholder: 'NAME',
      help: 'kind of key',
    },
    ...confirmationFlag,
  },
  examples: [
    { does: 'make cosign.key and cosign.pub', run: 'generate-key-pair' },
    { does: 'make release.key and release.pub', run: 'generate-key-pair --output-key-prefix release' },
    { does: 'make a key at Vault, and write cosign.pub', run: 'generate-key-pair --kms hashivault://release' },
    { does: 'make a key pair in a cluster', run: 'generate-key-pair k8s://team-a/release' },
    { does: 'make one for the jobs of a project of GitLab', run: 'generate-key-pair gitlab://team/app' },
  ],

  async run({ args, flags, changed, host, signal }) {
    if (flags.kms !== undefined) {
      const algorithm = changed.has('signing-algorithm') ? flags['signing-algorithm'] : undefined
      await generateKmsKeyPair(host, { uri: flags.kms, args, algorithm, prefix: flags['output-key-prefix'], signal })
      return undefined
    }
    const [place] = args
    if (place !== undefined) {
      await storeNewKeyPair(host, await storeOf(host, place, signal), {
        makeKey: () => generatePrivateKey(flags['signing-algorithm']),
        prefix: flags['output-key-prefix'],
        yes: flags.yes,
      })
      return undefined
    }
    const password = await askPassword(host, { twice: true })
    const key = await generatePrivateKey(flags['signing-algorithm'])
    await writeKeyPair(host, key, { prefix: flags['output-key-prefix'], password, yes: flags.yes })
    return undefined
  },
})

async function storeOf(host: Host, place: string, signal: AbortSignal): Promise<KeyStore> {
  const store = await openKeyStore(host, place, signal)
  if (store !== undefined) return store
  throw new UsageError('USAGE_ARGUMENTS', 'a key pair cannot be kept there', {
    expected: 'k8s://NAMESPACE/SECRET, gitlab://PROJECT or github://OWNER/REPOSITORY',
    found: place.slice(0, 200),
  })
}
