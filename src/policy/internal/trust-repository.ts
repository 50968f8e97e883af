/** A TUF repository that a policy itself names as its source of trust. @module */

export interface TrustRepository {
  /** Where it is; absent: the public one. */
  readonly mirror: string | undefined
  /** Its first root metadata; absent: that of the public one. */
  readonly root: Uint8Array | undefined
}
