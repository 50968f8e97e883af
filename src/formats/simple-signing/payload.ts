/** The "simple signing" payload of cosign's `.sig` layout. @module */
import type { JsonValue } from '#encoding/json'

/** What a simple-signing payload claims. */
export interface SimpleSigningPayload {
  /** `critical.identity.docker-reference`. */
  readonly dockerReference: string
  /** `critical.image.docker-manifest-digest`, `sha256:…`. */
  readonly manifestDigest: string
  /** `critical.type`. */
  readonly type: string
  readonly optional: Readonly<Record<string, JsonValue>> | undefined
}
