/** `countersign download attestation`. @module */
import { decodeUtf8 } from '#encoding/utf8'
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import { parseStatement } from '#formats/in-toto/statement'
import type { Attachment } from '#images/attachment'
import { findAttachments } from '#images/find'
import { isCodedError } from '#errors'
import { registryFlags } from '../flags/registry.js'
import { nameImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { inline } from '../kit/printable.js'
import { imageForPlatform } from '../platform-image.js'
import { VerdictError } from '../verifying/verdict.js'

export const command: Command = defineCommand({
  name: 'download attestation',
  summary: 'Print the attestations of an image, unverified',
  description: 'One JSON document a line: bundles as they are, attestations in the old format as DSSE envelopes.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    ...registryFlags,
    platform: { kind: 'string', placeholder: 'OS/ARCH', help: 'of the image for this platform in a multi-arch image' },
    'predicate-type': { kind: 'string', placeholder: 'TYPE|URI', help: 'only attestations of this type' },
  },
  examples: [
    {
      does: 'keep the SBOM that goes with an image',
      run: 'download attestation --predicate-type cyclonedx registry.example.com/app@sha256:…',
    },
  ],

  async run({ args: [text = ''], flags, host, verbose }) {
    // Nothing is verified here, so nothing is kept back either.
    const images = await openImages(host, { ...flags, 'allow-certificate-chain': true }, { verbose })
    const named = await nameImage(images.content, text)
    const { repository, descriptor } = await imageForPlatform(images.content, named, flags.platform)
    const predicateType = flags['predicate-type'] === undefined ? undefined : predicateTypeUri(flags['predicate-type'])
    const { attachments, unreadable } = await findAttachments(images, {
      repository,
      digest: descriptor.digest,
      kind: 'attestation',
      predicateType,
    })
    for (const { error, origin } of unreadable)
      host.terminal.note(`WARNING: ${origin.manifest} cannot be read: ${inline(error.message)}`)
    const wanted = attachments.filter(
      (attachment) => predicateType === undefined || typeOf(attachment) === predicateType,
    )
    if (wanted.length === 0) {
      throw new VerdictError(
        'VERDICT_NO_ATTESTATION',
        predicateType === undefined
          ? 'found no attestations'
          : `no attestations with predicate type '${predicateType}' found`,
      )
    }
    for (const { bytes } of wanted) host.terminal.write(`${oneLine(decodeUtf8(bytes))}\n`)
    return undefined
  },
})

function typeOf({ entity: { content } }: Attachment): string | undefined {
  if (content.kind !== 'dsse') return undefined
  try {
    return parseStatement(content.envelope.payload).predicateType
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

function oneLine(json: string): string {
  return json.includes('\n') ? JSON.stringify(JSON.parse(json)) : json
}
