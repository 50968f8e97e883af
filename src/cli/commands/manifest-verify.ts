/** `countersign manifest verify`. @module */
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
import { CliError } from '../kit/errors.js'
import { inline } from '../kit/printable.js'
import { asText, readFileOrStdin } from '../read-input.js'
import { verifyExtracted } from '../verify-images.js'

export const command: Command = defineCommand({
  name: 'manifest verify',
  summary: 'Verify signatures on the images of a Kubernetes manifest',
  description:
    'Verifies every image of the pods, and of everything that has a template of pods: init containers, containers, ephemeral containers and image volumes. Each must have an acceptable signature, as with verify. Exit codes are those of verify.',
  args: { usage: 'FILE|-', min: 1, max: 1, complete: 'file' },
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
    { does: 'all images of a deployment, signed with a key', run: 'manifest verify --key cosign.pub deployment.yaml' },
    {
      does: 'what a chart would install, signed by a workflow',
      run: 'manifest verify --certificate-identity https://github.com/o/r/.github/workflows/ci.yml@refs/heads/main --certificate-oidc-issuer https://token.actions.githubusercontent.com rendered.yaml',
    },
  ],

  async run(invocation) {
    const {
      args: [path = ''],
      host,
    } = invocation
    const text = asText(await readFileOrStdin(host, path), path)
    const { imagesOfManifest } = await import('../verifying/manifest-images.js')
    const { images, without } = await imagesOfManifest(text, path)
    if (without.length > 0) host.terminal.note(`No images in: ${without.map((label) => inline(label)).join(', ')}`)
    if (images.length === 0) {
      throw new CliError('CLI_INPUT', 'no images found in manifest', {
        expected: 'a pod, or a resource with a template of pods',
        found: `${String(without.length)} documents without images`,
      })
    }
    await verifyExtracted(invocation, images)
    return undefined
  },
})
