/** `countersign verify-blob-attestation`. @module */
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import type { Artifact } from '#verify/artifact'
import { verifyAttestationClaims } from '#verify/image/image-claims'
import { predicateFlags } from '../flags/signing.js'
import { explainFlag, identityFlags, publicKeyFlags, trustFlags } from '../flags/verifying.js'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import { digestArtifact, loadArtifact } from '../verifying/blob-artifact.js'
import { loadBlobSignature } from '../verifying/blob-entity.js'
import { explainTo, prepareJudge } from '../verifying/judge.js'
import { verificationDocument } from '../verifying/document.js'

const { type } = predicateFlags

export const command: Command = defineCommand({
  name: 'verify-blob-attestation',
  summary: 'Verify an attestation about a file',
  args: { usage: '[FILE|-|URL|sha256:DIGEST]', max: 1, complete: 'file' },
  flags: {
    bundle: { kind: 'path', help: 'the bundle with the attestation and all that is needed to verify it' },
    type: { ...type, help: `the predicate type that is asked for: ${type.help}` },
    'check-claims': { kind: 'boolean', default: true, help: 'whether the attestation must be about the file' },
    digest: { kind: 'string', placeholder: 'HEX', help: 'digest of the file, instead of the file' },
    digestAlg: {
      kind: 'string',
      choices: ['sha256', 'sha384', 'sha512'],
      default: 'sha256',
      help: 'algorithm of --digest',
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
    signature: {
      kind: 'path',
      help: 'a DSSE envelope by itself',
      deprecated: 'please use --bundle to provide a signature',
    },
    'rfc3161-timestamp': {
      kind: 'path',
      help: 'a detached timestamp',
      deprecated: 'please use --bundle to provide the output bundle location, which will include the signed timestamp',
    },
  },
  examples: [
    {
      does: 'provenance of a file',
      run: 'verify-blob-attestation app.tgz --bundle app.intoto.json --type slsaprovenance1 --certificate-identity … --certificate-oidc-issuer …',
    },
  ],

  async run({ args: [name], flags, host, signal }) {
    if ((name === undefined) === (flags.digest === undefined) && flags['check-claims']) {
      throw new UsageError('USAGE_ARGUMENTS', 'what the attestation must be about is not said', {
        expected: 'a file, or --digest',
      })
    }
    const uri = predicateTypeUri(flags.type)
    const { judge, key } = await prepareJudge(host, flags, signal)
    const entity = await loadBlobSignature(host, { flags, key, signal })
    if (entity.content.kind !== 'dsse') {
      throw new CliError('CLI_INPUT', 'what was given is a signature, not an attestation', {
        expected: 'a DSSE envelope, in a bundle or by itself',
        hint: 'a signature on a file is verified with verify-blob',
      })
    }
    const artifact = await chooseArtifact()
    try {
      const verification = await judge(entity, artifact)
      verifyAttestationClaims(verification, uri)
      if (flags.explain) explainTo(host, 'Checks:', verification)
      host.terminal.note('Verified OK')
      if (flags.output === 'json') host.terminal.write(`${JSON.stringify(verificationDocument(verification))}\n`)
    } catch (error) {
      if (flags.explain) explainTo(host, 'Checks:', error)
      throw error
    }
    return undefined

    async function chooseArtifact(): Promise<Artifact> {
      if (!flags['check-claims']) return { kind: 'unsafe-any-subject' }
      if (flags.digest !== undefined) return digestArtifact(flags.digestAlg, flags.digest)
      return await loadArtifact(host, name ?? '', entity.content, signal)
    }
  },
})
