/** `countersign bundle upgrade`. @module */
import { parseBundle } from '#formats/bundle/parse'
import { PUBLIC_REKOR, writeBundleText } from '../bundles/output.js'
import { type Command, defineCommand } from '../kit/command.js'
import { parseInput, readFileOrStdin } from '../read-input.js'

export const command: Command = defineCommand({
  name: 'bundle upgrade',
  summary: 'Bring a bundle of version 0.1 or 0.2 up to version 0.3',
  description:
    'Asks the transparency log for the inclusion proof where only its promise is there, and leaves of a certificate chain the signer’s certificate. That the proof is for the entry of the bundle is checked; the signature is not verified.',
  args: { usage: 'FILE|-', min: 1, max: 1, complete: 'file' },
  flags: {
    out: { kind: 'path', help: 'write to this file rather than to standard output' },
    'rekor-url': { kind: 'url', default: PUBLIC_REKOR, help: 'the transparency log that has the entry' },
  },
  withoutCosignEnvironment: true,
  examples: [
    { does: 'upgrade a bundle in place', run: 'bundle upgrade app.sigstore --out app.sigstore' },
    {
      does: 'upgrade one whose entry is at a private log',
      run: 'bundle upgrade app.sigstore --rekor-url https://rekor.example.com --out app.sigstore.json',
    },
  ],

  async run({ args: [path = ''], flags, host }) {
    const bytes = await readFileOrStdin(host, path)
    const bundle = parseInput(path, () => parseBundle(bytes, { allowCertificateChain: true }))
    if (bundle.version === '0.3') {
      host.terminal.note('Bundle is already at v0.3, no upgrade needed.')
      await writeBundleText(host, bytes, flags.out)
      return undefined
    }
    const { upgradeBundle } = await import('../bundles/upgrade.js')
    await writeBundleText(host, await upgradeBundle(host, bundle, flags['rekor-url']), flags.out)
    return undefined
  },
})
