/** Signatures on an image, signed and attached in either layout. @module */
import { encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { IN_TOTO_PAYLOAD_TYPE } from '#formats/dsse/envelope'
import { imageSignatureStatement, SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import { parseDigest } from '#formats/oci/digest'
import { repositoryName } from '#formats/oci/reference'
import { serializeSimpleSigning } from '#formats/simple-signing/payload'
import { attachBundle } from '#images/attach-bundle'
import { attachLayer } from '#images/attach-layer'
import { attachLegacyReferrer } from '#images/attach-legacy-referrer'
import type { ResolvedImage } from '#images/attachment'
import { layerFromSignature, lostInLegacyLayer } from '#images/legacy-layer'
import type { AttachmentWriter } from '#images/store'
import { signContent, type SigningResult, type SigningSession } from '#sign/sign'
import type { UnixMillis } from '#time'
import { CliError } from '../kit/errors.js'

/** A signature on one image, and what has to be kept to attach it. */
export interface ImageSignature {
  readonly image: ResolvedImage
  readonly result: SigningResult
  /** What was signed, in the old format; undefined for a bundle. */
  readonly payload: Uint8Array | undefined
}

/** Signs the statement that is an image's signature in a bundle. */
export async function signAsBundle(
  session: SigningSession,
  image: ResolvedImage,
  { annotations, signal }: { readonly annotations: ReadonlyMap<string, string>; readonly signal: AbortSignal },
): Promise<ImageSignature> {
  const statement = imageSignatureStatement(parseDigest(image.descriptor.digest).hex, annotations)
  const result = await signContent(
    session,
    { kind: 'envelope', payloadType: IN_TOTO_PAYLOAD_TYPE, payload: encodeUtf8(statement) },
    signal,
  )
  return { image, result, payload: undefined }
}

/** What the payload of the old format is made from, or the payload itself. */
export interface SimpleSigningAsk {
  readonly annotations: ReadonlyMap<string, string>
  /** What to call the image instead of its repository. */
  readonly identity: string | undefined
  readonly payload: Uint8Array | undefined
  readonly signal: AbortSignal
}

/** Signs a simple-signing payload. */
export async function signAsPayload(
  session: SigningSession,
  image: ResolvedImage,
  ask: SimpleSigningAsk,
): Promise<ImageSignature> {
  const payload =
    ask.payload ??
    serializeSimpleSigning({
      dockerReference: ask.identity ?? repositoryName(image.repository),
      manifestDigest: image.descriptor.digest,
      optional: ask.annotations.size === 0 ? undefined : Object.fromEntries(ask.annotations),
    })
  return { image, payload, result: await signContent(session, { kind: 'message', data: payload }, ask.signal) }
}

export interface LayoutChoice {
  /** Write the old format as a referrer instead of at the tag. */
  readonly legacyAsReferrer: boolean
  readonly dockerMediaTypes: boolean
  /** Said in the image of the old format, which otherwise names no time. */
  readonly created?: UnixMillis
}

/** Attaches a signature to its image. */
export async function attachSignature(
  images: AttachmentWriter,
  { image, result, payload }: ImageSignature,
  layout: LayoutChoice,
): Promise<void> {
  const { repository, descriptor } = image
  if (payload === undefined) {
    await attachBundle(images, {
      repository,
      subject: descriptor,
      bundle: encodeUtf8(serializeBundle(result.entity)),
      content: 'dsse-envelope',
      predicateType: SIGN_PREDICATE_TYPE,
    })
    return
  }
  requireRoom(result)
  const layer = layerFromSignature(result.entity, payload)
  if (layout.legacyAsReferrer)
    await attachLegacyReferrer(images, { repository, subject: descriptor, kind: 'signature', layer })
  else
    await attachLayer(images, {
      repository,
      digest: descriptor.digest,
      tag: 'sig',
      layer,
      dockerMediaTypes: layout.dockerMediaTypes,
      created: layout.created,
    })
}

/** An old signature without its log entry could not be verified by anybody. */
export function requireRoom({ entity }: SigningResult): void {
  const lost = lostInLegacyLayer(entity)
  if (lost.length === 0) return
  throw new CliError('CLI_UNSUPPORTED', 'the old format has no room for what the services returned', {
    expected: 'one entry of a Rekor v1, and at most one timestamp',
    found: lost.join(', '),
    hint: 'write a bundle (--new-bundle-format), or use a Rekor v1',
  })
}
