/** `countersign attach sbom`. @module */
import { parseJson } from '#encoding/json'
import { attachLegacyReferrer } from '#images/attach-legacy-referrer'
import { attachSbom } from '#images/sbom'
import { referrersModeFlag, registryFlags } from '../flags/registry.js'
import { nameImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import { parseInput, readFileOrStdin } from '../read-input.js'
import { SBOM_DEPRECATION, sbomMediaType, usualFormat } from '../sbom-attachments.js'

export const command: Command = defineCommand({
  name: 'attach sbom',
  summary: 'Attach a bill of materials to a container image, unsigned',
  description:
    'Puts the file at the .sbom tag of the image, in place of one that is there. Nothing says that it is about the image, and nobody has signed it: an attestation (attest) does both.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    sbom: { kind: 'path', help: 'the bill of materials, - for standard input' },
    type: { kind: 'string', choices: ['spdx', 'cyclonedx', 'syft'], default: 'spdx', help: 'what kind it is' },
    'input-format': {
      kind: 'string',
      choices: ['json', 'xml', 'text'],
      help: 'how it is written (default: json for a name that ends in .json)',
    },
    ...referrersModeFlag,
    ...registryFlags,
  },
  examples: [
    {
      does: 'attach a CycloneDX file as old scanners look for it',
      run: 'attach sbom --type cyclonedx --sbom sbom.cdx.json registry.example.com/app@sha256:…',
    },
  ],

  async run({ args: [text = ''], flags, host, verbose }) {
    host.terminal.note(SBOM_DEPRECATION)
    const { sbom: path, type } = flags
    if (path === undefined) {
      throw new UsageError('USAGE_FLAG_MISSING', 'there is nothing to attach', { expected: '--sbom FILE' })
    }
    const format = flags['input-format'] ?? usualFormat(type, path)
    const mediaType = sbomMediaType(type, format)
    if (mediaType === undefined) {
      throw new UsageError(
        'USAGE_FLAG_CONFLICT',
        `invalid SBOM input format: a bill of type ${type} is not ${format}`,
        {
          found: `--type ${type} --input-format ${format}`,
        },
      )
    }
    const bytes = await readFileOrStdin(host, path)
    if (format === 'json') parseInput(path, () => parseJson(bytes))
    const images = await openImages(host, flags, { verbose })
    const { repository, descriptor, name } = await nameImage(images.content, text)
    if (flags['registry-referrers-mode'] === 'oci-1-1') {
      const layer = { mediaType, bytes, annotations: {} }
      await attachLegacyReferrer(images, { repository, subject: descriptor, kind: 'sbom', layer })
    } else await attachSbom(images, { repository, digest: descriptor.digest }, { mediaType, bytes })
    host.terminal.note(`Attached the SBOM to ${name}, ${descriptor.digest}, with media type ${mediaType}, unsigned.`)
    return undefined
  },
})
