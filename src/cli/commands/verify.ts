/** `countersign verify`. @module */
import { registryFlags } from '../flags/registry.js'
import {
  explainFlag,
  identityFlags,
  imageSignatureFlags,
  outputFlag,
  publicKeyFlags,
  trustFlags,
} from '../flags/verifying.js'
import { type Command, defineCommand } from '../kit/command.js'
import { verifyImages } from '../verify-images.js'

export const command: Command = defineCommand({
  name: 'verify',
  summary: 'Verify signatures on container images',
  description:
    'Looks at bundles and at signatures in the old format; one acceptable signature is enough. What was verified is printed as JSON to standard output, which checks were made to standard error. Exit codes: 10 no signature, 11 no such tag, 12 no signature matches, 13 no certificate.',
  args: { usage: 'IMAGE...', min: 1, max: Infinity },
  flags: {
    ...imageSignatureFlags,
    ...outputFlag,
    ...explainFlag,
    ...publicKeyFlags,
    ...identityFlags,
    ...trustFlags,
    ...registryFlags,
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
    await verifyImages(invocation, invocation.args)
    return undefined
  },
})
