/** `countersign attach attestation`. @module */
import { parseJson } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseEnvelope } from '#formats/dsse/envelope'
import { attach } from '#images/attach'
import { type Attachable, attachableBundle, attachableEnvelope } from '#images/attachable'
import { isBundle, tellAttached } from '../attaching/given.js'
import { registryFlags } from '../flags/registry.js'
import { nameImage, openImages, warnAboutTag } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { asText, parseInput } from '../read-input.js'

export const command: Command = defineCommand({
  name: 'attach attestation',
  summary: 'Attach attestations that were made elsewhere to a container image',
  description:
    'A file holds a Sigstore bundle, or a DSSE envelope, or one of either a line. Bundles become referrers of the image, envelopes layers at the .att tag. Each must be a statement about this image. The signatures themselves are not verified. Nothing is attached unless all of it can be.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    attestation: { kind: 'repeated', placeholder: 'FILE', help: 'what to attach; may be given several times' },
    ...registryFlags,
  },
  examples: [
    {
      does: 'attach two attestations',
      run: 'attach attestation --attestation sbom.sigstore.json --attestation provenance.sigstore.json registry.example.com/app@sha256:…',
    },
    {
      does: 'take attestations along to another registry',
      run: 'download attestation registry.example.com/app@sha256:… > all.jsonl && countersign attach attestation --attestation all.jsonl mirror.example.com/app@sha256:…',
    },
  ],

  async run({ args: [text = ''], flags, host, verbose }) {
    if (flags.attestation.length === 0) {
      throw new UsageError('USAGE_FLAG_MISSING', 'there is nothing to attach', { expected: '--attestation FILE' })
    }
    const images = await openImages(host, flags, { verbose })
    const image = await nameImage(images.content, text)
    warnAboutTag(host, image, text)
    const attachables: Attachable[] = []
    for (const path of flags.attestation) {
      host.terminal.note(`Using payload from: ${path}`)
      attachables.push(...(await readAttestations(host, path, image.descriptor.digest)))
    }
    const dockerMediaTypes = host.environment['COSIGN_DOCKER_MEDIA_TYPES'] === '1'
    for (const attachable of attachables) await attach(images, { image, attachable, dockerMediaTypes })
    const count = attachables.length
    tellAttached(host, count === 1 ? 'the attestation' : `${String(count)} attestations`, image)
    return undefined
  },
})

async function readAttestations(host: Host, path: string, digest: string): Promise<readonly Attachable[]> {
  const bytes = await host.files.read(path)
  const found = documents(bytes, path).map((document, index) =>
    parseInput(`${path}, document ${String(index + 1)}`, () =>
      isBundle(document) ? attachableBundle(document, digest) : attachableEnvelope(parseEnvelope(document), digest),
    ),
  )
  if (found.length > 0) return found
  throw new CliError('CLI_INPUT', `${path} is empty`, { expected: 'a Sigstore bundle, or a DSSE envelope' })
}

/** One document, or one a line. */
function documents(bytes: Uint8Array, path: string): readonly Uint8Array[] {
  try {
    parseJson(bytes)
    return [bytes]
  } catch (error) {
    if (!isCodedError(error)) throw error
    const lines = asText(bytes, path).split('\n')
    return lines.filter((line) => line.trim() !== '').map((line) => encodeUtf8(line.trim()))
  }
}
