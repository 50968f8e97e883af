/** `countersign save`. @module */
import { collectImage } from '#images/collect'
import { nodeLayoutStore } from '#images/node-layout-files'
import { saveImage } from '#images/save'
import { registryFlags } from '../flags/registry.js'
import { nameImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { outputFlag, tellMove } from '../moving/result.js'
import { createTally } from '../moving/tally.js'
import { requiredFolder } from '../moving/folder.js'
import { withProgress } from '../progress.js'

export const command: Command = defineCommand({
  name: 'save',
  summary: 'Save an image and all that is attached to it to a folder',
  description:
    'Writes an OCI image layout: the image with all of its platforms, signatures, attestations, SBOMs and every other referrer. What is in the folder already is not fetched again, so a save that was broken off can be run again. Nothing is verified but digests; verify --local-image does the rest. Time is limited only by a --timeout that is given.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    dir: { kind: 'path', placeholder: 'FOLDER', help: 'the folder to save to' },
    ...outputFlag,
    ...registryFlags,
  },
  unhurried: true,
  examples: [
    { does: 'take an image along', run: 'save --dir app registry.example.com/app:1.2' },
    { does: 'and verify it without a registry', run: 'verify --key cosign.pub --local-image app' },
  ],

  async run({ args: [text = ''], flags, host, verbose }) {
    const folder = requiredFolder(flags.dir)
    const images = await openImages(host, flags, { verbose })
    const named = await nameImage(images.content, text)
    const tally = createTally()
    const collection = await withProgress(host, `Looking at ${named.name}`, () => collectImage(images, named))
    const tag = named.reference.kind === 'tag' ? named.reference.tag : undefined
    await withProgress(
      host,
      () => `Saving ${named.name}: ${tally.line()}`,
      () => saveImage(nodeLayoutStore(folder, host.clock), collection, { tag, transfer: tally }),
    )
    tellMove(host, flags.output, { did: 'Saved', from: named.name, to: folder, collection, tally })
    return undefined
  },
})
