/** `countersign generate`. @module */
import { repositoryName } from '#formats/oci/reference'
import { serializeSimpleSigning } from '#formats/simple-signing/payload'
import { registryFlags } from '../flags/registry.js'
import { digestImage, openImages, readAnnotations } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'

export const command: Command = defineCommand({
  name: 'generate',
  summary: 'Print the payload of the old format that says what sign would say about an image',
  description:
    'For signing by other means; "attach signature" takes what comes of it. The payload ends without a line end: what is signed are these very bytes.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    annotations: { kind: 'list', short: 'a', placeholder: 'K=V', help: 'say this as well' },
    ...registryFlags,
  },
  examples: [
    { does: 'sign with another tool', run: 'generate -a commit=abc registry.example.com/app:1.2 > app.payload' },
  ],

  async run({ args: [text = ''], flags, host, verbose }) {
    const annotations = readAnnotations(flags.annotations)
    const images = await openImages(host, flags, { verbose })
    const { repository, descriptor } = await digestImage(images.content, text)
    host.terminal.write(
      serializeSimpleSigning({
        dockerReference: repositoryName(repository),
        manifestDigest: descriptor.digest,
        optional: annotations.size === 0 ? undefined : Object.fromEntries(annotations),
      }),
    )
    return undefined
  },
})
