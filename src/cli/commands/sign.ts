/** `countersign sign`. @module */
import { encodeBase64 } from '#encoding/base64'
import { publicKeyToPem } from '#crypto/public-key'
import { repositoryName } from '#formats/oci/reference'
import type { ResolvedImage } from '#images/attachment'
import { expandImage } from '#images/resolve'
import type { AttachmentWriter } from '#images/store'
import type { SigningSession } from '#sign/sign'
import { referrersModeFlag, registryFlags } from '../flags/registry.js'
import { confirmationFlag, identityTokenFlags, keyFlags, serviceFlags } from '../flags/signing.js'
import { attachedImage, creationTime, nameImage, openImages, readAnnotations, warnAboutTag } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { withProgress } from '../progress.js'
import {
  attachSignature,
  type ImageSignature,
  type LayoutChoice,
  signAsBundle,
  signAsPayload,
} from '../signing/image-signatures.js'
import { bundleText, certificatePem, tellEntries, warnAboutChain } from '../signing/results.js'
import { openSession, settleSigner } from '../signing/session.js'

const flags = {
  bundle: { kind: 'path', help: 'also write the bundle to this file' },
  annotations: { kind: 'list', short: 'a', placeholder: 'K=V', help: 'sign this, too; verify can ask for it' },
  recursive: { kind: 'boolean', short: 'r', help: 'also sign every image in a multi-arch image' },
  upload: { kind: 'boolean', default: true, help: 'whether to attach the signature to the image' },
  'both-formats': {
    kind: 'boolean',
    help: 'also attach a signature in the old format, for verifiers that know no bundles',
  },
  ...keyFlags,
  ...confirmationFlag,
  ...identityTokenFlags,
  ...serviceFlags,
  ...registryFlags,
  ...referrersModeFlag,
  payload: {
    kind: 'path',
    help: 'sign this payload instead of making one',
    deprecated: 'payload will always be generated automatically in future versions',
  },
  'output-signature': {
    kind: 'path',
    help: 'write the signature to this file',
    deprecated: 'please use --bundle to provide the output bundle location, which will include the signature',
  },
  'output-payload': {
    kind: 'path',
    help: 'write the signed payload to this file',
    deprecated: 'please use --bundle to provide the output bundle location, which will include the payload',
  },
  'output-certificate': {
    kind: 'path',
    help: 'write the certificate to this file',
    deprecated: 'please use --bundle to provide the output bundle location, which will include the certificate',
  },
  attachment: {
    kind: 'string',
    choices: ['sbom'],
    help: 'sign what is attached to the image instead',
    deprecated: 'please use OCI referrers for attachments',
  },
  'sign-container-identity': {
    kind: 'list',
    help: 'what to call the image in the old format',
    deprecated: 'not possible when OCI referrers become the default behavior',
  },
  'record-creation-timestamp': {
    kind: 'boolean',
    help: 'say in the old format’s image when it was made',
    deprecated: 'not used with the new bundle format',
  },
} as const

export const command: Command = defineCommand({
  name: 'sign',
  summary: 'Sign container images',
  description:
    'Signs the digest that each reference points at now and attaches the signature to the image. Several images, and all images of a multi-arch image, share one key, one login and one certificate.',
  args: { usage: 'IMAGE...', min: 1, max: Infinity },
  flags,
  examples: [
    { does: 'sign as yourself; a browser opens', run: 'sign registry.example.com/app@sha256:…' },
    {
      does: 'sign with a key, and add a fact',
      run: 'sign --key cosign.key -a commit=4f3c registry.example.com/app@sha256:…',
    },
    { does: 'sign a multi-arch image and everything in it', run: 'sign --recursive registry.example.com/app@sha256:…' },
    {
      does: 'sign for verifiers of bundles and of the old format',
      run: 'sign --both-formats registry.example.com/app@sha256:…',
    },
  ],

  async run({ args, flags: given, changed, host, signal, verbose }) {
    const annotations = readAnnotations(given.annotations)
    const legacy = !given['new-bundle-format']
    refuseWithoutEffect(given)
    const layout = chooseLayout(host, given)
    const images = await openImages(host, given, { verbose })
    const targets = await resolveTargets(host, images, {
      texts: args,
      recursive: given.recursive,
      attachment: given.attachment,
    })
    if (given.bundle !== undefined && targets.length > 1) {
      throw new UsageError('USAGE_FLAG_CONFLICT', 'one bundle file cannot hold the signatures of several images', {
        found: `${String(targets.length)} images`,
      })
    }
    const { session } = await openSession(host, { flags: given, changed, signal, verbose })
    await settleSigner(host, session, signal)
    const payload = given.payload === undefined ? undefined : await host.files.read(given.payload)
    if (payload !== undefined) host.terminal.note(`Using payload from: ${given.payload ?? ''}`)
    const identities = given['sign-container-identity'].length === 0 ? [undefined] : given['sign-container-identity']

    for (const target of targets) {
      const signatures = await withProgress(host, 'Signing artifact...', async () => await signTarget(session, target))
      await writeOutputs(host, signatures, { flags: given, legacy })
      for (const { result, payload: old } of signatures) {
        tellEntries(host, result)
        if (old === undefined && given.upload) warnAboutChain(host, result)
      }
      if (!given.upload) continue
      host.terminal.note(`Pushing signature to: ${repositoryName(images.attachmentRepository ?? target.repository)}`)
      for (const signature of signatures) await attachSignature(images, signature, layout)
    }
    return undefined

    async function signTarget(to: SigningSession, target: ResolvedImage): Promise<readonly ImageSignature[]> {
      if (!host.terminal.stderrIsTty) host.terminal.note('Signing artifact...')
      const signatures = legacy ? [] : [await signAsBundle(to, target, { annotations, signal })]
      if (!legacy && !given['both-formats']) return signatures
      for (const identity of identities)
        signatures.push(await signAsPayload(to, target, { annotations, identity, payload, signal }))
      return signatures
    }
  },
})

interface EffectFlags {
  readonly 'new-bundle-format': boolean
  readonly 'both-formats': boolean
  readonly payload: string | undefined
  readonly 'sign-container-identity': readonly string[]
  readonly upload: boolean
  readonly bundle: string | undefined
  readonly 'output-signature': string | undefined
}

/** What somebody took the trouble to say about the signature must not be lost, nor the signature itself. */
function refuseWithoutEffect(given: EffectFlags): void {
  const bundled = given['new-bundle-format'] && !given['both-formats']
  const lost =
    given.payload !== undefined
      ? 'payload'
      : given['sign-container-identity'].length > 0
        ? 'sign-container-identity'
        : undefined
  if (bundled && lost !== undefined) {
    throw new UsageError(
      'USAGE_FLAG_CONFLICT',
      `--${lost} has no effect on a bundle, which says by itself what is signed`,
      {
        hint: 'leave it out, or write the old format with --new-bundle-format=false or --both-formats',
      },
    )
  }
  if (given.upload || given.bundle !== undefined || given['output-signature'] !== undefined) return
  throw new UsageError(
    'USAGE_FLAG_MISSING',
    'the signature would be nowhere: it is neither attached nor written to a file',
    {
      expected: '--bundle FILE or --output-signature FILE beside --upload=false',
    },
  )
}

interface LayoutFlags {
  readonly 'registry-referrers-mode': string | undefined
  readonly 'record-creation-timestamp': boolean
}

function chooseLayout(
  { environment, clock }: Host,
  { 'registry-referrers-mode': mode, 'record-creation-timestamp': dated }: LayoutFlags,
): LayoutChoice {
  if (mode === 'oci-1-1' && environment['COSIGN_EXPERIMENTAL'] !== '1') {
    throw new UsageError('USAGE_FLAG_VALUE', 'in order to use mode "oci-1-1", you must set COSIGN_EXPERIMENTAL=1', {
      found: '--registry-referrers-mode=oci-1-1',
    })
  }
  return {
    legacyAsReferrer: mode === 'oci-1-1',
    dockerMediaTypes: environment['COSIGN_DOCKER_MEDIA_TYPES'] === '1',
    ...(dated && { created: creationTime(environment, clock) }),
  }
}

interface TargetsAsk {
  readonly texts: readonly string[]
  readonly recursive: boolean
  readonly attachment: 'sbom' | undefined
}

/** What is to be signed, each digest once, before anything is: a name that does not resolve must not leave half of it signed. */
async function resolveTargets(
  host: Host,
  images: AttachmentWriter,
  { texts, recursive, attachment }: TargetsAsk,
): Promise<readonly ResolvedImage[]> {
  const targets = new Map<string, ResolvedImage>()
  for (const text of texts) {
    const image = await nameImage(images.content, text)
    warnAboutTag(host, image, text)
    const named = attachment === undefined ? image : await attachedImage(images, image, attachment)
    const all = recursive ? await expandImage(images.content, named) : [named]
    for (const each of all)
      targets.set(`${repositoryName(each.repository)}@${each.descriptor.digest}`, {
        repository: each.repository,
        descriptor: each.descriptor,
      })
  }
  return [...targets.values()]
}

interface OutputsAsk {
  readonly flags: {
    readonly bundle: string | undefined
    readonly recursive: boolean
    readonly 'output-signature': string | undefined
    readonly 'output-payload': string | undefined
    readonly 'output-certificate': string | undefined
  }
  readonly legacy: boolean
}

/** Everything that goes to files; those of a recursive signing carry the digest in their names, as with cosign. */
async function writeOutputs(
  host: Host,
  signatures: readonly ImageSignature[],
  { flags: given, legacy }: OutputsAsk,
): Promise<void> {
  const [first] = signatures
  if (first === undefined) throw new CliError('CLI_INPUT', 'nothing was signed')
  const suffix = given.recursive ? `-${first.image.descriptor.digest.replace(':', '-')}` : ''
  const {
    bundle,
    'output-signature': signaturePath,
    'output-payload': payloadPath,
    'output-certificate': certificatePath,
  } = given
  if (signaturePath !== undefined)
    await host.files.write(
      signaturePath + suffix,
      signatures.map(({ result }) => encodeBase64(result.signature)).join('\n'),
    )
  if (payloadPath !== undefined) await host.files.write(payloadPath + suffix, signatures.map(payloadText).join('\n'))
  if (certificatePath !== undefined) {
    await host.files.write(
      certificatePath,
      certificatePem(first.result) ?? publicKeyToPem(first.result.credential.signer.publicKey),
    )
    host.terminal.note(`Certificate wrote in the file ${certificatePath}`)
  }
  if (bundle === undefined) return
  const texts = legacy
    ? signatures.map(({ result }) => bundleText(result, { legacy }))
    : [bundleText(first.result, { legacy })]
  await host.files.write(bundle, texts.join('\n'))
  host.terminal.note(`Wrote bundle to file ${bundle}`)
}

function payloadText({ payload, result }: ImageSignature): string {
  const { content } = result.entity
  return new TextDecoder().decode(payload ?? (content.kind === 'dsse' ? content.envelope.payload : new Uint8Array()))
}
