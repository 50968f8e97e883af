/** The "simple signing" payload of cosign's `.sig` layout. @module */
import { stringifyLikeGo } from '#encoding/go-json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { SimpleSigningError } from './simple-signing-error.js'

/** What a simple-signing payload claims. */
export interface SimpleSigningPayload {
  /** `critical.identity.docker-reference`: the repository the signer saw. Not checked by anybody, so not to be trusted. */
  readonly dockerReference: string
  /** `critical.image.docker-manifest-digest`, `sha256:…`. */
  readonly manifestDigest: string
  /** Annotations; cosign's are texts, other signers' may be anything. Undefined when the payload says `null`. */
  readonly optional?: Readonly<Record<string, JsonValue>> | undefined
}

/** What makes a payload a signature on an image, and not something else that was signed with the same key. */
export const SIMPLE_SIGNING_TYPE = 'cosign container image signature'

/** Media type of the layer that holds the payload. */
export const SIMPLE_SIGNING_MEDIA_TYPE = 'application/vnd.dev.cosign.simplesigning.v1+json'

/**
 * Reads a payload.
 * @throws SimpleSigningError `SIMPLE_SIGNING_MALFORMED`, or `SIMPLE_SIGNING_TYPE` when it is a claim of another kind
 */
export function parseSimpleSigning(payload: string | Uint8Array): SimpleSigningPayload {
  const document = object(parse(payload), 'the payload')
  const critical = object(document['critical'], 'critical')
  const type = text(critical['type'], 'critical.type')
  if (type !== SIMPLE_SIGNING_TYPE) {
    throw new SimpleSigningError('SIMPLE_SIGNING_TYPE', 'the payload is not a signature on an image', {
      expected: SIMPLE_SIGNING_TYPE,
      found: type.slice(0, 100),
    })
  }
  const identity = object(critical['identity'], 'critical.identity')
  const image = object(critical['image'], 'critical.image')
  const { optional = null } = document
  return {
    dockerReference: text(identity['docker-reference'], 'critical.identity.docker-reference'),
    manifestDigest: text(image['docker-manifest-digest'], 'critical.image.docker-manifest-digest'),
    optional: optional === null ? undefined : object(optional, 'optional'),
  }
}

/** The exact bytes that cosign signs for such a claim: no optional annotations are written as `null`. */
export function serializeSimpleSigning({
  dockerReference,
  manifestDigest,
  optional,
}: SimpleSigningPayload): Uint8Array {
  const critical = {
    identity: { 'docker-reference': dockerReference },
    image: { 'docker-manifest-digest': manifestDigest },
    type: SIMPLE_SIGNING_TYPE,
  }
  const annotations = optional === undefined ? null : new Map(Object.entries(optional))
  return encodeUtf8(stringifyLikeGo({ critical, optional: annotations }))
}

function parse(payload: string | Uint8Array): JsonValue {
  try {
    return parseJson(payload)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw malformed('the payload', 'text that is not JSON', cause)
  }
}

function object(value: JsonValue | undefined, path: string): JsonObject {
  if (isJsonObject(value)) return value
  throw malformed(path, value === undefined ? 'nothing' : 'no object')
}

function text(value: JsonValue | undefined, path: string): string {
  if (typeof value === 'string') return value
  throw malformed(path, value === undefined ? 'nothing' : 'no text')
}

function malformed(path: string, found: string, cause?: unknown): SimpleSigningError {
  return new SimpleSigningError('SIMPLE_SIGNING_MALFORMED', `${path} of the simple-signing payload cannot be read`, {
    expected: 'critical with identity, image and type, and optional',
    found,
    cause,
  })
}
