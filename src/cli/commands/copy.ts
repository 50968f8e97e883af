/** `countersign copy`. @module */
import { parseReference, referenceName, repositoryName } from '#formats/oci/reference'
import { collectImage, type Hold, type Wanted } from '#images/collect'
import { checkFree, deliverImage } from '#images/deliver'
import { imageForPlatform } from '#images/platform'
import { registryFlags } from '../flags/registry.js'
import { nameImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import { checkDigest } from '../moving/destination.js'
import { outputFlag, tellMove } from '../moving/result.js'
import { createTally } from '../moving/tally.js'
import { withProgress } from '../progress.js'

export const command: Command = defineCommand({
  name: 'copy',
  summary: 'Copy an image and all that is attached to it',
  description:
    'Copies every platform of the image, signatures, attestations, SBOMs and every other referrer, from one registry to another, or within one, where blobs are taken over without being sent. Signatures and attestations are added to those that are there. They are read from where COSIGN_REPOSITORY says, and written beside the copy. A destination without tag and digest means latest. Time is limited only by a --timeout that is given.',
  args: { usage: 'SOURCE DESTINATION', min: 2, max: 2 },
  flags: {
    only: {
      kind: 'list',
      placeholder: 'sig,att,sbom,referrers',
      help: 'only what is attached, of these kinds, and not the image: signatures and attestations in every layout, SBOMs at tags, all referrers',
    },
    'sig-only': { kind: 'boolean', help: 'the same as --only=sig' },
    force: { kind: 'boolean', short: 'f', help: 'replace the tag, or the SBOM, that is there already' },
    platform: {
      kind: 'string',
      placeholder: 'OS/ARCH',
      help: 'only the image for this platform in a multi-arch image, and what is attached to it',
    },
    ...outputFlag,
    ...registryFlags,
  },
  unhurried: true,
  examples: [
    { does: 'copy an image with its signatures', run: 'copy example.com/src:1.2 example.com/dest:1.2' },
    { does: 'keep the digest, without a tag', run: 'copy example.com/src@sha256:… example.com/dest@sha256:…' },
    { does: 'copy the signatures only', run: 'copy --only=sig example.com/src:1.2 example.com/dest' },
    { does: 'copy one platform', run: 'copy --platform=linux/amd64 example.com/src:1.2 example.com/dest:1.2' },
  ],

  async run({ args: [source = '', target = ''], flags, host, verbose }) {
    const wanted = readOnly(flags['sig-only'] ? [...flags.only, 'sig'] : flags.only)
    const destination = parseReference(target)
    const writer = await openImages(host, flags, { verbose })
    const named = await nameImage(writer.content, source)
    const image = flags.platform === undefined ? named : await imageForPlatform(writer.content, named, flags.platform)
    const name = wanted === undefined ? destination : undefined
    if (name !== undefined) checkDigest(name, image.descriptor)
    const collection = await withProgress(host, `Looking at ${named.name}`, () =>
      collectImage(writer, image, { withImage: wanted === undefined, ...(wanted !== undefined && { wanted }) }),
    )
    const { registry, repository } = destination
    const places = { image: { registry, repository }, attachments: { registry, repository } }
    if (!flags.force) await checkFree({ writer, places, name }, collection)
    const from = `${repositoryName(image.repository)}@${image.descriptor.digest}`
    const to = name === undefined ? repositoryName(destination) : referenceName(destination)
    host.terminal.note(`Copying ${from} to ${to}...`)
    const tally = createTally()
    await withProgress(
      host,
      () => `Copying: ${tally.line()}`,
      () => deliverImage({ writer, places, name }, collection, tally),
    )
    tellMove(host, flags.output, { did: 'Copied', from, to, collection, tally })
    return undefined
  },
})

/** What each word of `--only` means. */
const ONLY: ReadonlyMap<string, (hold: Hold) => boolean> = new Map<string, (hold: Hold) => boolean>([
  ['sig', ({ kind }) => kind === 'sig' || kind === 'signature'],
  ['att', ({ kind }) => kind === 'att' || kind === 'attestation'],
  ['sbom', ({ kind }) => kind === 'sbom'],
  ['referrers', ({ by }) => by === 'referrer'],
])

/** @throws {@link UsageError} `USAGE_FLAG_VALUE` */
function readOnly(words: readonly string[]): Wanted | undefined {
  if (words.length === 0) return undefined
  const tests = words.map((word) => {
    const test = ONLY.get(word)
    if (test !== undefined) return test
    throw new UsageError('USAGE_FLAG_VALUE', `invalid value for --only: ${word}`, {
      expected: [...ONLY.keys()].join(', '),
      found: word,
    })
  })
  return (hold) => tests.some((test) => test(hold))
}
