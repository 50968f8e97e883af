/** `countersign triangulate`. @module */
import { repositoryName } from '#formats/oci/reference'
import { attachmentTag, type AttachmentKind } from '#formats/oci/tags'
import { attachmentsOf } from '#images/store'
import { registryFlags } from '../flags/registry.js'
import { digestImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'

const TYPES = ['signature', 'attestation', 'sbom', 'digest'] as const

const SUFFIXES: Readonly<Record<(typeof TYPES)[number], AttachmentKind | undefined>> = {
  signature: 'sig',
  attestation: 'att',
  sbom: 'sbom',
  digest: undefined,
}

export const command: Command = defineCommand({
  name: 'triangulate',
  summary: 'Print where attachments in the old format are',
  description:
    'Prints the tag at which signatures, attestations or SBOMs of the image are kept, whether or not there are any, or the image by its digest. Bundles are referrers and have no tag: tree shows them.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    type: { kind: 'string', choices: TYPES, default: 'signature', help: 'what to name' },
    ...registryFlags,
  },
  examples: [
    { does: 'look at signatures with another tool', run: 'triangulate registry.example.com/app:1.2' },
    { does: 'turn a tag into a digest', run: 'triangulate --type digest registry.example.com/app:1.2' },
  ],

  async run({ args: [text = ''], flags, host, verbose }) {
    const images = await openImages(host, flags, { verbose })
    const { repository, descriptor } = await digestImage(images.content, text)
    const place = repositoryName(attachmentsOf(images, repository))
    const suffix = SUFFIXES[flags.type]
    const tag = suffix === undefined ? undefined : attachmentTag(descriptor.digest, suffix, images.tagPrefix)
    host.terminal.write(tag === undefined ? `${place}@${descriptor.digest}\n` : `${place}:${tag}\n`)
    return undefined
  },
})
