/** `countersign import-key-pair`. @module */
import { privateKeyFromPem } from '#crypto/private-key'
import { confirmationFlag } from '../flags/signing.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import { writeKeyPair } from '../keys/key-pair.js'
import { askPassword } from '../password.js'
import { parseInput, readTextFile } from '../read-input.js'

export const command: Command = defineCommand({
  name: 'import-key-pair',
  summary: 'Encrypt an existing private key for signing',
  description:
    'Reads an unencrypted PEM key (PKCS #8, PKCS #1 or SEC 1; RSA, ECDSA or Ed25519) and writes it as a key pair.',
  flags: {
    key: { kind: 'path', short: 'k', help: 'the PEM private key' },
    'output-key-prefix': {
      kind: 'string',
      short: 'o',
      default: 'import-cosign',
      placeholder: 'NAME',
      help: 'write NAME.key and NAME.pub',
    },
    ...confirmationFlag,
  },
  examples: [
    { does: 'take over a key made by OpenSSL', run: 'import-key-pair --key openssl.pem --output-key-prefix release' },
  ],

  async run({ flags, host }) {
    if (flags.key === undefined)
      throw new UsageError('USAGE_FLAG_MISSING', 'which key to import is not said', { expected: '--key FILE' })
    const text = await readTextFile(host, flags.key)
    const key = parseInput(flags.key, () => privateKeyFromPem(text))
    const password = await askPassword(host, { twice: true })
    await writeKeyPair(host, key, { prefix: flags['output-key-prefix'], password, yes: flags.yes })
    return undefined
  },
})
