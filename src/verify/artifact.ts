/**
 * The artifact that a signature is claimed to be over: its bytes, or no more than its digest.
 *
 * @module
 */
import { DIGEST_SIZES, digest } from '#crypto/digest'
import type { DigestName } from '#crypto/digest'
import { VerificationError } from './errors.js'

/** The bytes of the artifact. */
export interface ArtifactBytes {
  readonly kind: 'bytes'
  readonly bytes: Uint8Array
}

/** One or more digests of the artifact, computed by the caller: for large files, or because the digest is the name, as with images. */
export interface ArtifactDigests {
  readonly kind: 'digest'
  readonly digests: { readonly [Name in DigestName]?: Uint8Array }
}

/** Whatever the statement is about: for looking at an attestation without its artifact, never for deciding about one. */
export interface UnsafeAnySubject {
  readonly kind: 'unsafe-any-subject'
}

/** What is to be verified. */
export type Artifact = ArtifactBytes | ArtifactDigests | UnsafeAnySubject

/** An artifact whose digests are computed at most once. */
export class ArtifactView {
  readonly kind: Artifact['kind']
  readonly bytes: Uint8Array | undefined
  readonly #digests: { [Name in DigestName]?: Uint8Array }

  /** @throws VerificationError `VERIFY_ARTIFACT_REQUIRED` for digests that are none */
  constructor(artifact: Artifact) {
    this.kind = artifact.kind
    this.bytes = artifact.kind === 'bytes' ? artifact.bytes : undefined
    this.#digests = artifact.kind === 'digest' ? checkedDigests(artifact) : {}
  }

  /** The digest, or undefined if only another one is known. */
  digest(name: DigestName): Uint8Array | undefined {
    const known = this.#digests[name]
    if (known !== undefined || this.bytes === undefined) return known
    return (this.#digests[name] = digest(name, this.bytes))
  }

  /** What is known, for messages. */
  describe(): string {
    if (this.bytes !== undefined) return 'the artifact'
    return `only ${Object.keys(this.#digests).join(' and ') || 'no'} digest`
  }
}

function checkedDigests({ digests }: ArtifactDigests): ArtifactDigests['digests'] {
  const given = Object.entries(digests) as [DigestName, Uint8Array][]
  for (const [name, value] of given) {
    if (value.length === DIGEST_SIZES[name]) continue
    throw new VerificationError('VERIFY_ARTIFACT_REQUIRED', `the ${name} digest of the artifact has the wrong length`, {
      expected: `${String(DIGEST_SIZES[name])} bytes`,
      found: `${String(value.length)} bytes`,
    })
  }
  if (given.length > 0) return { ...digests }
  throw new VerificationError('VERIFY_ARTIFACT_REQUIRED', 'no digest of the artifact was given', {
    expected: `one of ${Object.keys(DIGEST_SIZES).join(', ')}`,
    found: 'none',
  })
}
