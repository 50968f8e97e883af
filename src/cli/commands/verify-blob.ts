/** `countersign verify-blob`. @module */
import { type Command, defineCommand } from '../kit/command.js'
import { explainFlag, identityFlags, publicKeyFlags, trustFlags } from '../flags/verifying.js'
import type { Host } from '../kit/host.js'
import { loadArtifact } from '../verifying/blob-artifact.js'
import { loadBlobSignature } from '../verifying/blob-entity.js'
import { explainTo, prepareJudge } from '../verifying/judge.js'
import { verificationDocument } from '../verifying/document.js'

export const command: Command = defineCommand({
  name: 'verify-blob',
  summary: 'Verify a signature on a file',
  description:
    'Nothing is printed to standard output unless --output json is given. A digest such as sha256:… may stand for the file wherever the algorithm allows it.',
  args: { usage: 'FILE|-|URL|sha256:DIGEST', min: 1, max: 1, complete: 'file' },
  flags: {
    bundle: {
      kind: 'path',
      help: 'the bundle with the signature and all that is needed to verify it (default FILE.sigstore.json)',
    },
    ...publicKeyFlags,
    ...identityFlags,
    ...trustFlags,
    ...explainFlag,
    output: {
      kind: 'string',
      short: 'o',
      choices: ['text', 'json'],
      default: 'text',
      help: 'print the verified facts to standard output: json',
    },
    signature: { kind: 'path', help: 'a detached signature', deprecated: 'please use --bundle to provide a signature' },
    'rfc3161-timestamp': {
      kind: 'path',
      help: 'a detached timestamp',
      deprecated: 'please use --bundle to provide the output bundle location, which will include the signed timestamp',
    },
  },
  examples: [
    {
      does: 'a file signed by a person',
      run: 'verify-blob app.tgz --bundle app.tgz.sigstore.json --certificate-identity ann@example.com --certificate-oidc-issuer https://accounts.google.com',
    },
    { does: 'a file signed with a key', run: 'verify-blob app.tgz --bundle app.tgz.sigstore.json --key cosign.pub' },
    {
      does: 'offline, and with every check shown',
      run: 'verify-blob app.tgz --bundle app.tgz.sigstore.json --key cosign.pub --trusted-root root.json --explain',
    },
  ],

  async run({ args: [name = ''], flags, host, signal }) {
    const { judge, key } = await prepareJudge(host, flags, signal)
    const bundle = flags.bundle ?? (flags.signature === undefined ? await bundleBeside(host, name) : undefined)
    const entity = await loadBlobSignature(host, { flags: { ...flags, bundle }, key, signal })
    const artifact = await loadArtifact(host, name, entity.content, signal)
    try {
      const verification = await judge(entity, artifact)
      if (flags.explain) explainTo(host, `Checks of ${name}:`, verification)
      host.terminal.note('Verified OK')
      if (flags.output === 'json') host.terminal.write(`${JSON.stringify(verificationDocument(verification))}\n`)
    } catch (error) {
      if (flags.explain) explainTo(host, `Checks of ${name}:`, error)
      throw error
    }
    return undefined
  },
})

/** Where `sign-blob` puts the bundle if it is not told otherwise (client-spec §4.1.1). */
async function bundleBeside(host: Host, name: string): Promise<string | undefined> {
  const path = `${name}.sigstore.json`
  return (await host.files.exists(path)) ? path : undefined
}
