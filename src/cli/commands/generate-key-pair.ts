/** `countersign generate-key-pair`. @module */
import { generatePrivateKey } from '#crypto/private-key'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError } from '../kit/errors.js'
import { writeKeyPair } from '../key-pair.js'
import { generateKmsKeyPair } from '../kms-key-pair.js'
import { askPassword } from '../password.js'
import { confirmationFlag } from '../flags/signing.js'

export const command: Command = defineCommand({
  name: 'generate-key-pair',
  summary: 'Make a key pair for signing',
  description:
    'Writes cosign.key, encrypted under a password, and cosign.pub. The password is typed, or taken from COSIGN_PASSWORD or standard input. With --kms the key is made at its service and stays there; a key that is there already is left as it is.',
  args: { usage: '', max: 1 },
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
  ],

  async run({ args, flags, changed, host, signal }) {
    if (flags.kms !== undefined) {
      const algorithm = changed.has('signing-algorithm') ? flags['signing-algorithm'] : undefined
      await generateKmsKeyPair(host, { uri: flags.kms, args, algorithm, prefix: flags['output-key-prefix'], signal })
      return undefined
    }
    const [elsewhere] = args
    if (elsewhere !== undefined) {
      throw new CliError('CLI_UNSUPPORTED', 'keys can only be made in files and at key management services yet', {
        expected: 'no argument, or --kms',
        found: elsewhere.split(':')[0],
      })
    }
    const password = await askPassword(host, { twice: true })
    const key = await generatePrivateKey(flags['signing-algorithm'])
    await writeKeyPair(host, key, { prefix: flags['output-key-prefix'], password, yes: flags.yes })
    return undefined
  },
})
