/** `countersign tree`. @module */
import type { ContentReader } from '#clients/registry/registry'
import { parseManifest } from '#formats/oci/manifest'
import { type Repository, repositoryName } from '#formats/oci/reference'
import { type AttachmentTree, listAttachments } from '#images/tree'
import { referrersModeFlag, registryFlags } from '../flags/registry.js'
import { inline } from '../kit/printable.js'
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
    'experimental-oci11': {
      kind: 'boolean',
      default: true,
      help: 'look for referrers',
      deprecated: 'OCI referrers will be the default behavior in future versions',
    },
  },
  examples: [{ does: 'show signatures, attestations and SBOMs', run: 'tree registry.example.com/app:1.2' }],

  async run({ args: [text = ''], flags, host, verbose }) {
    const images = await openImages(host, flags, { verbose })
    const image = await nameImage(images.content, text)
    const tree = await listAttachments(images, { repository: image.repository, digest: image.descriptor.digest })
    host.terminal.write(drawTree(image, await groupsOf(images.content, tree)))
    return undefined
  },
})

interface Group {
  readonly title: string
  readonly leaves: readonly string[]
}

/** A group for each tag, and one for each referrer with the blobs in it, as cosign draws them. */
async function groupsOf(
  content: ContentReader,
  { tagged, referrers, repository }: AttachmentTree,
): Promise<readonly Group[]> {
  const tags = tagged.map(({ kind, repository: at, tag, layers }) => ({
    title: `${TAG_TITLES[kind]}: ${repositoryName(at)}:${tag}`,
    leaves: layers.map(({ digest }) => digest),
  }))
  const manifests = referrers.flatMap(({ type, manifests: all }) => all.map(({ digest }) => ({ type, digest })))
  const referring = manifests.map(async ({ type, digest }) => ({
    title: `🔗 ${inline(type)} artifacts via OCI referrer: ${repositoryName(repository)}@${digest}`,
    leaves: await layersOf(content, repository, digest),
  }))
  return [...tags, ...(await Promise.all(referring))]
}

async function layersOf(content: ContentReader, repository: Repository, digest: string): Promise<readonly string[]> {
  const { bytes, mediaType } = await content.manifest(repository, digest)
  const manifest = parseManifest(bytes, mediaType)
  return manifest.kind === 'image'
    ? manifest.layers.map((layer) => layer.digest)
    : manifest.manifests.map((child) => child.digest)
}

function drawTree({ name }: NamedImage, groups: readonly Group[]): string {
  if (groups.length === 0) {
    return `No Supply Chain Security Related Artifacts found for image ${name},\n start creating one with simply running$ countersign sign ${name}`
  }
  const lines = [`📦 Supply Chain Security Related artifacts for an image: ${name}`]
  for (const { title, leaves } of groups) {
    lines.push(`└── ${title}`)
    leaves.forEach((leaf, index) => lines.push(`   ${index === leaves.length - 1 ? '└──' : '├──'} 🍒 ${leaf}`))
  }
  return `${lines.join('\n')}\n`
}
