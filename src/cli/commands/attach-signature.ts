/** `countersign attach signature`. @module */
import { attach } from '#images/attach'
import { type Attachable, attachableBundle, attachableSignature } from '#images/attachable'
import type { AttachmentKind } from '#images/attachment'
import { type DetachedPartFlags, loadDetachedParts, withChain } from '../attaching/detached-parts.js'
import { isBundle, tellAttached } from '../attaching/given.js'
import { registryFlags } from '../flags/registry.js'
import { type NamedImage, nameImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { impliedPayload } from '../verifying/detached-signature.js'

const PARTS = ['signature', 'certificate', 'certificate-chain', 'rekor-response', 'tsr'] as const

export const command: Command = defineCommand({
  name: 'attach signature',
  summary: 'Attach a signature that was made elsewhere to a container image',
  description:
    'A Sigstore bundle is attached as a referrer of the image; a signature over a payload, with what belongs to it, at the .sig tag. Either must say that it is about this image. The signature itself is not verified.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    bundle: { kind: 'path', help: 'a Sigstore bundle with the signature' },
    signature: { kind: 'path', help: 'the signature in base64, - for standard input' },
    payload: { kind: 'path', help: 'what the signature is over (default: the payload without annotations)' },
    certificate: { kind: 'path', aliases: ['cert'], help: 'PEM certificate of the signer' },
    'certificate-chain': {
      kind: 'path',
      aliases: ['cert-chain'],
      help: 'PEM chain above the certificate, the root last',
    },
    'rekor-response': { kind: 'path', help: 'the log entry: what Rekor answered, or a bundle in the old format' },
    tsr: { kind: 'path', help: 'the response of a timestamp authority' },
    ...registryFlags,
  },
  examples: [
    {
      does: 'attach a bundle, for example one of another registry',
      run: 'attach signature --bundle app.sigstore.json registry.example.com/app@sha256:…',
    },
    {
      does: 'sign without this program, and attach what was signed',
      run: 'attach signature --payload app.payload --signature app.sig registry.example.com/app@sha256:…',
    },
  ],

  async run({ args: [text = ''], flags, host, signal, verbose }) {
    if (flags.bundle !== undefined && flags.payload !== undefined) {
      throw new UsageError('USAGE_FLAG_CONFLICT', 'only one of --bundle and --payload may be given')
    }
    const path = flags.bundle ?? flags.payload
    const bytes = path === undefined ? undefined : await host.files.read(path)
    const makeReady =
      bytes !== undefined && isBundle(bytes)
        ? fromBundle(bytes, flags)
        : await fromParts(host, { flags, signal, payload: bytes })
    const images = await openImages(host, flags, { verbose })
    const image = await nameImage(images.content, text)
    const attachable = makeReady(image)
    requireSignature(attachable.kind)
    const dockerMediaTypes = host.environment['COSIGN_DOCKER_MEDIA_TYPES'] === '1'
    await attach(images, { image, attachable, dockerMediaTypes })
    tellAttached(host, 'the signature', image)
    return undefined
  },
})

type MakeReady = (image: NamedImage) => Attachable

function fromBundle(bytes: Uint8Array, flags: DetachedPartFlags): MakeReady {
  const beside = PARTS.find((name) => flags[name] !== undefined)
  if (beside === undefined) return ({ descriptor }) => attachableBundle(bytes, descriptor.digest)
  throw new UsageError('USAGE_FLAG_CONFLICT', `--${beside} may not be given beside a Sigstore bundle`, {
    hint: 'the bundle has everything in it',
  })
}

interface Parts {
  readonly flags: DetachedPartFlags
  readonly signal: AbortSignal
  readonly payload: Uint8Array | undefined
}

async function fromParts(host: Host, { flags, signal, payload }: Parts): Promise<MakeReady> {
  const { entity, chain } = await loadDetachedParts(host, flags, signal)
  return (image) => {
    const bytes = payload ?? impliedPayload(host, image)
    return withChain(attachableSignature(entity, bytes, image.descriptor.digest), chain)
  }
}

function requireSignature(kind: AttachmentKind): void {
  if (kind === 'signature') return
  throw new CliError('CLI_INPUT', 'the bundle is an attestation, not a signature on an image', {
    hint: 'attach it with "countersign attach attestation"',
  })
}
