/** `countersign download signature`. @module */
import { encodeBase64 } from '#encoding/base64'
import { encodePem } from '#encoding/pem'
import { decodeUtf8 } from '#encoding/utf8'
import { rekorBundleToJson } from '#formats/cosign-bundle/rekor-bundle'
import type { Attachment } from '#images/attachment'
import { findAttachments } from '#images/find'
import { registryFlags } from '../flags/registry.js'
import { nameImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { inline } from '../kit/printable.js'
import { VerdictError } from '../verifying/verdict.js'

export const command: Command = defineCommand({
  name: 'download signature',
  summary: 'Print the signatures of an image, unverified',
  description:
    'One JSON document a line: bundles as they are, signatures in the old format with their payload, certificate and log entry.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: registryFlags,
  examples: [{ does: 'keep the bundles of an image', run: 'download signature registry.example.com/app@sha256:…' }],

  async run({ args: [text = ''], flags, host, verbose }) {
    // Nothing is verified here, so nothing is kept back either.
    const images = await openImages(host, { ...flags, 'allow-certificate-chain': true }, { verbose })
    const { repository, descriptor, name } = await nameImage(images.content, text)
    const { attachments, unreadable } = await findAttachments(images, {
      repository,
      digest: descriptor.digest,
      kind: 'signature',
    })
    for (const { error, origin } of unreadable)
      host.terminal.note(`WARNING: ${origin.manifest} cannot be read: ${inline(error.message)}`)
    if (attachments.length === 0)
      throw new VerdictError('VERDICT_NO_SIGNATURE', `no signatures associated with ${name}`)
    for (const attachment of attachments) host.terminal.write(`${signatureLine(attachment)}\n`)
    return undefined
  },
})

function signatureLine({ entity, bytes, payload }: Attachment): string {
  if (payload === undefined || entity.content.kind !== 'message-signature') return oneLine(decodeUtf8(bytes))
  const [leaf, ...chain] = entity.key.kind === 'certificates' ? entity.key.chain : []
  const entry = entity.logEntries.map((each) => rekorBundleToJson(each)).find((each) => each !== undefined)
  const [timestamp] = entity.timestamps
  return JSON.stringify({
    Base64Signature: encodeBase64(entity.content.signature),
    Payload: encodeBase64(payload),
    Cert: leaf === undefined ? null : { Raw: encodeBase64(leaf), PEM: encodePem('CERTIFICATE', leaf) },
    Chain: chain.length === 0 ? null : chain.map((der) => ({ Raw: encodeBase64(der) })),
    Bundle: entry ?? null,
    RFC3161Timestamp: timestamp === undefined ? null : { SignedRFC3161Timestamp: encodeBase64(timestamp) },
  })
}

/** A bundle that was written over several lines still has to be one line here. */
function oneLine(json: string): string {
  return json.includes('\n') ? JSON.stringify(JSON.parse(json)) : json
}
