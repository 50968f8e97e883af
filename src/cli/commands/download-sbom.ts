/** `countersign download sbom`. @module */
import { imageForPlatform, platformName } from '#images/platform'
import { expandImage } from '#images/resolve'
import { readSbom } from '#images/sbom'
import { registryFlags } from '../flags/registry.js'
import { nameImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError } from '../kit/errors.js'
import { inline } from '../kit/printable.js'
import { SBOM_DEPRECATION } from '../sbom-attachments.js'

export const command: Command = defineCommand({
  name: 'download sbom',
  summary: 'Print the bill of materials at the .sbom tag of an image, unverified',
  description: 'Nobody has signed it. One that is signed is an attestation: download attestation, verify-attestation.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    ...registryFlags,
    platform: { kind: 'string', placeholder: 'OS/ARCH', help: 'of the image for this platform in a multi-arch image' },
  },
  examples: [{ does: 'keep it in a file', run: 'download sbom --output-file sbom.json registry.example.com/app:1.2' }],

  async run({ args: [text = ''], flags, host, verbose }) {
    host.terminal.note(SBOM_DEPRECATION)
    const images = await openImages(host, flags, { verbose })
    const named = await nameImage(images.content, text)
    const image = flags.platform === undefined ? named : await imageForPlatform(images.content, named, flags.platform)
    const sbom = await readSbom(images, { repository: image.repository, digest: image.descriptor.digest })
    if (sbom === undefined) {
      const parts = flags.platform === undefined ? await expandImage(images.content, named) : []
      const platforms = parts.flatMap(({ descriptor: { platform } }) =>
        platform === undefined ? [] : [platformName(platform)],
      )
      throw new CliError('CLI_INPUT', 'no sbom attached to reference', {
        expected: 'a bill of materials at the .sbom tag',
        found: 'none',
        hint:
          platforms.length === 0
            ? 'is it an attestation? They are printed by download attestation'
            : `name one of the platforms with --platform: ${platforms.join(', ')}`,
      })
    }
    host.terminal.note(`Found SBOM of media type: ${inline(sbom.mediaType)}`)
    host.terminal.write(sbom.bytes)
    return undefined
  },
})
