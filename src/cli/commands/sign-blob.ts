/** `countersign sign-blob`. @module */
import { encodeBase64 } from '#encoding/base64'
import { signContent, type SigningResult } from '#sign/sign'
import { confirmationFlag, identityTokenFlags, keyFlags, serviceFlags, signingAlgorithmFlag } from '../flags/signing.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { withProgress } from '../progress.js'
import { streamFileOrStdin } from '../read-input.js'
import { signatureBytes, tellEntries, writeBundle, writeDetached } from '../signing/results.js'
import { openSession, settleSigner } from '../signing/session.js'

const USE_BUNDLE = 'please use --bundle to provide the output bundle location, which will include the signature'

export const command: Command = defineCommand({
  name: 'sign-blob',
  summary: 'Sign files',
  description:
    'Writes a bundle with everything needed to verify the signature, by default beside the file as FILE.sigstore.json. Files are read once and in pieces, so their size does not matter; several files share one key, one login and one certificate.',
  args: { usage: 'FILE...|-', min: 1, max: Infinity, complete: 'file' },
  flags: {
    bundle: { kind: 'path', help: 'write the bundle to this file' },
    ...keyFlags,
    ...signingAlgorithmFlag,
    ...confirmationFlag,
    ...identityTokenFlags,
    ...serviceFlags,
    b64: {
      kind: 'boolean',
      default: true,
      help: 'base64 for detached outputs',
      deprecated: 'please use --bundle, which already base64 encodes content as appropriate',
    },
    output: { kind: 'path', help: 'write the signature to this file', deprecated: USE_BUNDLE },
    'output-signature': { kind: 'path', help: 'write the signature to this file', deprecated: USE_BUNDLE },
    'output-certificate': {
      kind: 'path',
      help: 'write the certificate to this file',
      deprecated: 'please use --bundle to provide the output bundle location, which will include the certificate',
    },
    'rfc3161-timestamp': {
      kind: 'path',
      help: 'write the timestamp to this file',
      deprecated: 'please use --bundle to provide the output bundle location, which will include the signed timestamp',
    },
  },
  examples: [
    { does: 'sign as yourself; a browser opens', run: 'sign-blob app.tgz --bundle app.tgz.sigstore.json' },
    { does: 'sign with a key', run: 'sign-blob --key cosign.key app.tgz --bundle app.tgz.sigstore.json' },
    { does: 'sign a release of many files with one login', run: 'sign-blob dist/*' },
  ],

  async run({ args, flags, changed, host, signal, verbose }) {
    const legacy = !flags['new-bundle-format']
    const signaturePath = flags['output-signature'] ?? flags.output
    if (
      args.length > 1 &&
      [flags.bundle, signaturePath, flags['output-certificate'], flags['rfc3161-timestamp']].some(
        (path) => path !== undefined,
      )
    ) {
      throw new UsageError('USAGE_FLAG_CONFLICT', 'one output file cannot hold the signatures of several files', {
        hint: 'leave out the output flags: each bundle is then written beside its file as FILE.sigstore.json',
      })
    }
    if (args.includes('-') && flags.bundle === undefined && !legacy) {
      throw new UsageError('USAGE_FLAG_MISSING', 'must specify --bundle', { found: 'standard input as the file' })
    }
    const { session } = await openSession(host, {
      flags,
      changed,
      signal,
      verbose,
      algorithm: flags['signing-algorithm'],
    })
    await settleSigner(host, session, signal)
    for (const path of args) {
      if (path !== '-') host.terminal.note(`Using payload from: ${path}`)
      const data = streamFileOrStdin(host, path)
      if (!host.terminal.stderrIsTty) host.terminal.note('Signing artifact...')
      const result = await withProgress(host, 'Signing artifact...', () =>
        signContent(session, { kind: 'message', data }, signal),
      )
      tellEntries(host, result)
      const bundlePath = flags.bundle ?? (legacy ? undefined : `${path}.sigstore.json`)
      if (bundlePath !== undefined) await writeBundle(host, bundlePath, result, { legacy })
      if (legacy || signaturePath !== undefined)
        await writeSignature(host, result, { path: signaturePath, base64: flags.b64 })
      await writeDetached(host, result, { flags, base64: flags.b64 })
    }
    return undefined
  },
})

interface SignatureOutput {
  readonly path: string | undefined
  readonly base64: boolean
}

/** The bare signature, to a file or to standard output, as cosign 2 did. */
async function writeSignature(host: Host, result: SigningResult, { path, base64 }: SignatureOutput): Promise<void> {
  const bytes = signatureBytes(result)
  if (path !== undefined) {
    await host.files.write(path, base64 ? encodeBase64(bytes) : bytes)
    host.terminal.note(`Wrote signature to file ${path}`)
  } else host.terminal.write(base64 ? `${encodeBase64(bytes)}\n` : bytes)
}
