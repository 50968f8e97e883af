/** `countersign load`. @module */
import { parseReference, referenceName } from '#formats/oci/reference'
import { collectImage } from '#images/collect'
import { deliverImage } from '#images/deliver'
import { nodeLayoutFiles } from '#images/node-layout-files'
import { openLayout, soleImage } from '#images/oci-layout'
import { attachmentsOf } from '#images/store'
import { registryFlags } from '../flags/registry.js'
import { openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { checkDigest } from '../moving/destination.js'
import { requiredFolder } from '../moving/folder.js'
import { outputFlag, tellMove } from '../moving/result.js'
import { createTally } from '../moving/tally.js'
import { withProgress } from '../progress.js'

/** A layout has no name for the repository that it stands for. */
const NOWHERE = { registry: '', repository: '' }

export const command: Command = defineCommand({
  name: 'load',
  summary: 'Write an image that was saved to a folder, and all that is attached to it, to a registry',
  description:
    'Reads what save wrote, and what cosign’s save wrote. What the registry has is not sent again. Signatures and attestations are added to those that are there; the image’s tag comes last, and is moved if it is taken. Time is limited only by a --timeout that is given.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    dir: { kind: 'path', placeholder: 'FOLDER', help: 'the folder to load from' },
    ...outputFlag,
    ...registryFlags,
  },
  unhurried: true,
  examples: [{ does: 'write what was saved to another registry', run: 'load --dir app internal.example.com/app:1.2' }],

  async run({ args: [text = ''], flags, host, verbose }) {
    const folder = requiredFolder(flags.dir)
    const reference = parseReference(text)
    const { registry, repository } = reference
    const files = nodeLayoutFiles(folder)
    const content = await openLayout(files)
    const descriptor = await soleImage(files)
    checkDigest(reference, descriptor)
    const collection = await collectImage({ content }, { repository: NOWHERE, descriptor })
    const writer = await openImages(host, flags, { verbose })
    const places = { image: { registry, repository }, attachments: attachmentsOf(writer, { registry, repository }) }
    const tally = createTally()
    await withProgress(
      host,
      () => `Loading ${referenceName(reference)}: ${tally.line()}`,
      () => deliverImage({ writer, places, name: reference }, collection, tally),
    )
    tellMove(host, flags.output, { did: 'Loaded', from: folder, to: referenceName(reference), collection, tally })
    return undefined
  },
})
