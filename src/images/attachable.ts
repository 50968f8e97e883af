/**
 * What somebody else signed, made ready to be attached to an image: of a form that can be about that image, and about no other.
 *
 * Nothing is verified: whether a signature is good depends on who should have signed, and that is for verifiers to know.
 *
 * @module
 */
import { parseBundle } from '#formats/bundle/parse'
import { IN_TOTO_PAYLOAD_TYPE, type DsseEnvelope } from '#formats/dsse/envelope'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import { parseStatement, type Statement } from '#formats/in-toto/statement'
import { parseDigest } from '#formats/oci/digest'
import type { SignedEntity } from '#formats/signed-entity'
import { parseSimpleSigning } from '#formats/simple-signing/payload'
import type { AttachmentKind } from './attachment.js'
import { ImagesError } from './images-error.js'
import { layerFromAttestation, layerFromSignature, type LegacyLayer } from './legacy-layer.js'

/** Something that can be attached to the image that it was made ready for. */
export type Attachable =
  | {
      readonly layout: 'referrer'
      readonly kind: AttachmentKind
      /** The bundle's JSON, as it was given. */
      readonly bytes: Uint8Array
      readonly predicateType: string
    }
  | { readonly layout: 'tag'; readonly kind: AttachmentKind; readonly layer: LegacyLayer }

/**
 * A bundle with a statement about the image.
 * @throws ImagesError IMAGES_SUBJECT; BundleError, InTotoError
 */
export function attachableBundle(bytes: Uint8Array, digest: string): Attachable {
  const { content, version } = parseBundle(bytes)
  if (version !== '0.3') {
    // cosign passes over older ones, and the manifest would say 0.3 of it.
    throw new ImagesError('IMAGES_SUBJECT', 'a bundle of this version is not attached to images', {
      expected: 'version 0.3',
      found: version,
      hint: 'bring it up to date first: countersign bundle upgrade',
    })
  }
  if (content.kind !== 'dsse') {
    throw new ImagesError('IMAGES_SUBJECT', 'the bundle is not about an image', {
      expected: 'a DSSE envelope with an in-toto statement',
      found: 'a signature over a file',
    })
  }
  const { predicateType } = statementAbout(content.envelope, digest)
  const kind = predicateType === SIGN_PREDICATE_TYPE ? 'signature' : 'attestation'
  return { layout: 'referrer', kind, bytes, predicateType }
}

/**
 * An envelope with a statement about the image, for the layout of before bundles, which keeps it as it was given.
 * @throws ImagesError IMAGES_SUBJECT; InTotoError
 */
export function attachableEnvelope(envelope: DsseEnvelope, digest: string): Attachable {
  const { predicateType } = statementAbout(envelope, digest)
  const entity: SignedEntity = {
    content: { kind: 'dsse', envelope },
    key: { kind: 'public-key', hint: '' },
    logEntries: [],
    timestamps: [],
  }
  return { layout: 'tag', kind: 'attestation', layer: layerFromAttestation(entity, predicateType) }
}

/**
 * A signature over a simple-signing payload about the image.
 * @throws ImagesError IMAGES_SUBJECT, IMAGES_SIGNATURE_LAYER; SimpleSigningError
 */
export function attachableSignature(entity: SignedEntity, payload: Uint8Array, digest: string): Attachable {
  const { manifestDigest } = parseSimpleSigning(payload)
  if (manifestDigest !== digest) throw aboutAnother(digest, manifestDigest)
  return { layout: 'tag', kind: 'signature', layer: layerFromSignature(entity, payload) }
}

function statementAbout({ payloadType, payload }: DsseEnvelope, digest: string): Statement {
  if (payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    throw new ImagesError('IMAGES_SUBJECT', 'the envelope is not about an image', {
      expected: IN_TOTO_PAYLOAD_TYPE,
      found: payloadType.slice(0, 100),
    })
  }
  const statement = parseStatement(payload)
  const { algorithm, hex } = parseDigest(digest)
  if (statement.subjects.some((subject) => subject.digest.get(algorithm) === hex)) return statement
  const named = statement.subjects.map((subject) => subject.digest.get(algorithm) ?? `no ${algorithm}`)
  throw aboutAnother(digest, named.join(', '))
}

function aboutAnother(expected: string, found: string): ImagesError {
  return new ImagesError('IMAGES_SUBJECT', 'this is about another image', {
    expected,
    found: found.slice(0, 200) || 'no subject',
    hint: 'name the image that it was made for',
  })
}
