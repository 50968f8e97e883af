/** `countersign verify`. @module */
import { registryFlags } from '../flags/registry.js'
import { explainFlag, identityFlags, outputFlag, publicKeyFlags, trustFlags } from '../flags/verifying.js'
import { type Command, defineCommand } from '../kit/command.js'
import { nextTurn } from '../kit/next-turn.js'
import { openVerifiable } from '../verifiable.js'

export const command: Command = defineCommand({
  name: 'verify',
  summary: 'Verify signatures on container images',
  description:
    'Looks at bundles and at signatures in the old format; one acceptable signature is enough. What was verified is printed as JSON to standard output, which checks were made to standard error. Exit codes: 10 no signature, 11 no such tag, 12 no signature matches, 13 no certificate.',
  args: { usage: 'IMAGE...', min: 1, max: Infinity },
  flags: {
    annotations: { kind: 'list', short: 'a', placeholder: 'K=V', help: 'require this annotation' },
    'check-claims': { kind: 'boolean', default: true, help: 'whether the signed payload must be about the image' },
    'local-image': { kind: 'boolean', help: 'the image is a folder that save wrote' },
    ...outputFlag,
    ...explainFlag,
    ...publicKeyFlags,
    ...identityFlags,
    ...trustFlags,
    ...registryFlags,
    attachment: {
      kind: 'string',
      choices: ['sbom'],
      help: 'verify what is attached to the image instead',
      deprecated: 'please use OCI referrers for attachments and verify with `--experimental-oci11`',
    },
    signature: {
      kind: 'path',
      help: 'a detached signature',
      deprecated: 'signatures are automatically fetched from the OCI registry during image verification',
    },
    payload: {
      kind: 'path',
      help: 'the payload of a detached signature',
      deprecated: 'payload will always be verified from the bundle in future versions',
    },
  },
  examples: [
    {
      does: 'an image signed by a person',
      run: 'verify --certificate-identity ann@example.com --certificate-oidc-issuer https://accounts.google.com registry.example.com/app:1.2',
    },
    {
      does: 'an image signed by a workflow, of one repository only',
      run: 'verify --certificate-identity https://github.com/o/r/.github/workflows/ci.yml@refs/heads/main --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-extension source-repository-uri=https://github.com/o/r IMAGE',
    },
    {
      does: 'an image signed with a key, with every check shown',
      run: 'verify --key cosign.pub --explain registry.example.com/app:1.2',
    },
  ],

  async run(invocation) {
    const { args: names, flags, host, verbose } = invocation
    const wanted = flags.signature === undefined ? ({ kind: 'signature' } as const) : undefined
    const named = openVerifiable(host, flags, { names, verbose, wanted })
    await nextTurn() // then the question is on its way, and what judges the answer is loaded meanwhile
    const { verifySignatures } = await import('../verifying/image-signatures.js')
    await verifySignatures(invocation, named)
    return undefined
  },
})
