/** `countersign tree`. @module */
import { repositoryName } from '#formats/oci/reference'
import { type AttachmentTree, listAttachments } from '#images/tree'
import { referrersModeFlag, registryFlags } from '../flags/registry.js'
import { type NamedImage, nameImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'

const TAG_TITLES = {
  att: '💾 Attestations for an image tag',
  sig: '🔐 Signatures for an image tag',
  sbom: '📦 SBOMs for an image tag',
} as const

export const command: Command = defineCommand({
  name: 'tree',
  summary: 'Show what is attached to an image',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    ...registryFlags,
    ...referrersModeFlag,
    'experimental-oci11': { kind: 'boolean', default: true, help: 'look for referrers', deprecated: 'OCI referrers will be the default behavior in future versions' },
  },
  examples: [{ does: 'show signatures, attestations and SBOMs', run: 'tree registry.example.com/app:1.2' }],

  async run({ args: [text = ''], flags, host, verbose }) {
    const images = await openImages(host, flags, { verbose })
    const image = await nameImage(images.content, text)
    const tree = await listAttachments(images, { repository: image.repository, digest: image.descriptor.digest })
    host.terminal.write(drawTree(image, tree))
    return undefined
  },
})

function drawTree(image: NamedImage, { tagged, referrers, repository }: AttachmentTree): string {
  if (tagged.length === 0 && referrers.length === 0) {
    return `No Supply Chain Security Related Artifacts found for image ${image.name},\n start creating one with simply running$ countersign sign ${image.name}`
  }
  const groups = [
    ...tagged.map(({ kind, repository: at, tag, layers }) => ({ title: `${TAG_TITLES[kind]}: ${repositoryName(at)}:${tag}`, leaves: layers.map(({ digest }) => digest) })),
    ...referrers.map(({ type, manifests }) => ({
      title: `🔗 ${type} artifacts via OCI referrer: ${repositoryName(repository)}@${image.descriptor.digest}`,
      leaves: manifests.map(({ digest }) => digest),
    })),
  ]
  const lines = [`📦 Supply Chain Security Related artifacts for an image: ${image.name}`]
  for (const { title, leaves } of groups) {
    lines.push(`└── ${title}`)
    leaves.forEach((leaf, index) => lines.push(`   ${index === leaves.length - 1 ? '└──' : '├──'} 🍒 ${leaf}`))
  }
  return `${lines.join('\n')}\n`
}
