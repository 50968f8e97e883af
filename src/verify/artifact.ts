/**
 * The artifact that a signature is claimed to be over: its bytes, or no more than its digest.
 *
 * @module
 */
import { digest } from '#crypto/digest'
import type { DigestName } from '#crypto/digest'

/** The bytes of the artifact. */
export interface ArtifactBytes {
  readonly kind: 'bytes'
  readonly bytes: Uint8Array
}

/** One or more digests of the artifact, computed by the caller (for large files, or because the digest is the name, as with images). */
export interface ArtifactDigests {
  readonly kind: 'digest'
  readonly digests: { readonly [Name in DigestName]?: Uint8Array }
}

/** What is to be verified. */
export type Artifact = ArtifactBytes | ArtifactDigests

/** An artifact whose digests are computed at most once. */
export class ArtifactView {
  readonly bytes: Uint8Array | undefined
  readonly #digests: { [Name in DigestName]?: Uint8Array }

  constructor(artifact: Artifact) {
    this.bytes = artifact.kind === 'bytes' ? artifact.bytes : undefined
    this.#digests = artifact.kind === 'digest' ? { ...artifact.digests } : {}
  }

  /** The digest, or undefined if only another one is known. */
  digest(name: DigestName): Uint8Array | undefined {
    const known = this.#digests[name]
    if (known !== undefined || this.bytes === undefined) return known
    return (this.#digests[name] = digest(name, this.bytes))
  }

  /** The names of the digests that were given, for messages. */
  describe(): string {
    return this.bytes === undefined ? `only ${Object.keys(this.#digests).join(' and ') || 'no'} digest` : 'the bytes'
  }
}
