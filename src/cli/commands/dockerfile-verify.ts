/** `countersign dockerfile verify`. @module */
import { imagesOfDockerfile } from '#formats/dockerfile/images'
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
import type { Environment } from '../kit/host.js'
import { asText, parseInput, readFileOrStdin } from '../read-input.js'
import { verifyExtracted } from '../verify-images.js'

export const command: Command = defineCommand({
  name: 'dockerfile verify',
  summary: 'Verify signatures on the images that a Dockerfile builds on',
  description:
    'Verifies the images of every FROM, of COPY --from and of RUN --mount=from=…; earlier stages and scratch are none. Each must have an acceptable signature, as with verify. Variables have the value that ARG gives them before the first FROM, or else that of the environment; one without a value is an error. Images that a build is told by other means (--build-arg, a syntax directive) are not seen. Exit codes are those of verify.',
  args: { usage: 'FILE|-', min: 1, max: 1, complete: 'file' },
  flags: {
    'base-image-only': { kind: 'boolean', help: 'only the image that the last stage is built on' },
    ...imageSignatureFlags,
    ...outputFlag,
    ...explainFlag,
    ...publicKeyFlags,
    ...identityFlags,
    ...trustFlags,
    ...registryFlags,
  },
  examples: [
    { does: 'all images that a build takes, signed with a key', run: 'dockerfile verify --key cosign.pub Dockerfile' },
    {
      does: 'only what is shipped, signed by a workflow',
      run: 'dockerfile verify --base-image-only --certificate-identity https://github.com/o/r/.github/workflows/ci.yml@refs/heads/main --certificate-oidc-issuer https://token.actions.githubusercontent.com Dockerfile',
    },
  ],

  async run(invocation) {
    const {
      args: [path = ''],
      flags,
      host,
    } = invocation
    const text = asText(await readFileOrStdin(host, path), path)
    const { images, base } = parseInput(path, () =>
      imagesOfDockerfile(text, (name) => variable(host.environment, name)),
    )
    if (images.length === 0) {
      throw new CliError('CLI_INPUT', 'no images found in Dockerfile', { expected: 'FROM with an image' })
    }
    if (!flags['base-image-only']) {
      await verifyExtracted(invocation, images)
      return undefined
    }
    if (base === undefined) {
      throw new CliError('CLI_INPUT', 'the last stage is built on scratch: there is no base image', {
        found: `images of other stages: ${images.join(', ')}`,
        hint: 'verify them without --base-image-only',
      })
    }
    await verifyExtracted(invocation, [base])
    return undefined
  },
})

/** What every object has, such as `constructor`, is no variable. */
function variable(environment: Environment, name: string): string | undefined {
  return Object.hasOwn(environment, name) ? environment[name] : undefined
}
