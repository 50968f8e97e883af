/** DSSE envelopes: the JSON form, read without losing the exact bytes and written as Go writes them. @module */

/** One signature of an envelope. */
export interface DsseSignature {
  /** An unauthenticated hint; often empty. */
  readonly keyId: string
  readonly signature: Uint8Array
}

/** A DSSE envelope with payload and signatures decoded. */
export interface DsseEnvelope {
  readonly payloadType: string
  readonly payload: Uint8Array
  readonly signatures: readonly DsseSignature[]
  /** The exact JSON that was parsed, where it came as a document of its own: Rekor's `dsse` entries hash these bytes. */
  readonly source?: Uint8Array | undefined
}
