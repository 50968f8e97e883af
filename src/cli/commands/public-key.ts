/** `countersign public-key`. @module */
import { publicKeyToPem } from '#crypto/public-key'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import { loadPublicHalf, refuseSecurityKey } from '../keys/reference.js'

export const command: Command = defineCommand({
  name: 'public-key',
  summary: 'Print the public key of a key pair',
  flags: {
    key: {
      kind: 'path',
      placeholder: 'KEY',
      help: 'private key: a file, env://VARIABLE, k8s://NAMESPACE/SECRET, gitlab://PROJECT, or a key at awskms://, gcpkms://, azurekms:// or hashivault://',
    },
    sk: { kind: 'boolean', hidden: true, help: 'use a hardware security key' },
    slot: { kind: 'string', hidden: true, help: 'slot of the hardware security key' },
    outfile: { kind: 'path', help: 'write it to this file rather than to standard output' },
  },
  examples: [
    { does: 'print the public key', run: 'public-key --key cosign.key' },
    { does: 'write it to a file', run: 'public-key --key cosign.key --outfile cosign.pub' },
    { does: 'that of a key in a cluster', run: 'public-key --key k8s://team-a/release' },
    { does: 'that of a key at AWS', run: 'public-key --key awskms:///alias/release' },
  ],

  async run({ flags, host, signal }) {
    refuseSecurityKey(flags)
    const { key, outfile } = flags
    if (key === undefined)
      throw new UsageError('USAGE_FLAG_MISSING', 'which key is not said', { expected: '--key KEY' })
    const pem = publicKeyToPem(await loadPublicHalf(host, key, signal))
    if (outfile === undefined) host.terminal.write(pem)
    else {
      await host.files.write(outfile, pem, { mode: 0o644 })
      host.terminal.note(`Key written to ${outfile}`)
    }
    return undefined
  },
})
