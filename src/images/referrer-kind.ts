/** What a referrer of an image is: a signature, an attestation, or something else that hangs on it. @module */
import { isCodedError } from '#errors'
import { parseBundle } from '#formats/bundle/parse'
import { DSSE_MEDIA_TYPE } from '#formats/dsse/envelope'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import { parseStatement } from '#formats/in-toto/statement'
import type { Manifest } from '#formats/oci/descriptor'
import { ANNOTATIONS } from '#formats/oci/media-types'
import type { Repository } from '#formats/oci/reference'
import type { AttachmentKind } from './attachment.js'
import { isBundleType, LEGACY_ARTIFACT_TYPES } from './bundle-manifest.js'
import { blobsOf } from './find.js'
import type { AttachmentReader } from './store.js'

/** `other`: none of Sigstore's, such as a scan or a bill of materials that nobody signed. */
export type ReferrerKind = AttachmentKind | 'other'

const LEGACY: ReadonlyMap<string | undefined, AttachmentKind> = new Map([
  [LEGACY_ARTIFACT_TYPES.signature, 'signature'],
  [LEGACY_ARTIFACT_TYPES.attestation, 'attestation'],
])

/**
 * Tells by what the manifest says, and where it says nothing, by the bundle. None of it is verified: it is enough to decide what
 * is moved or removed, never what is believed.
 * @throws RegistryError if the bundle is needed and cannot be had
 */
export async function referrerKind(
  reader: AttachmentReader,
  repository: Repository,
  manifest: Manifest,
): Promise<ReferrerKind> {
  if (manifest.kind !== 'image') return 'other'
  const { annotations = {}, artifactType, config, layers } = manifest
  const legacy = LEGACY.get(artifactType ?? config.mediaType)
  if (legacy !== undefined) return legacy
  // cosign 3 has referrers of bare envelopes, too (`WriteAttestationsReferrer`).
  if (layers.length > 0 && layers.every(({ mediaType }) => mediaType === DSSE_MEDIA_TYPE)) return 'attestation'
  const [layer] = layers
  if (layers.length !== 1 || layer === undefined || !isBundleType(layer.mediaType)) return 'other'
  const stated = annotations[ANNOTATIONS.bundlePredicateType]
  if (stated !== undefined) return kindOfPredicate(stated)
  if (annotations[ANNOTATIONS.bundleContent] === 'message-signature') return 'signature'
  return kindOfBundle(await blobsOf(reader)(repository, layer))
}

function kindOfPredicate(type: string): AttachmentKind {
  return type === SIGN_PREDICATE_TYPE ? 'signature' : 'attestation'
}

function kindOfBundle(bytes: Uint8Array): ReferrerKind {
  try {
    const { content } = parseBundle(bytes, { allowCertificateChain: true })
    if (content.kind === 'message-signature') return 'signature'
    return kindOfPredicate(parseStatement(content.envelope.payload).predicateType)
  } catch (error) {
    if (isCodedError(error)) return 'other'
    throw error
  }
}
