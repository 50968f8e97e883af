export interface Name {
  /** The Name, whole, DER: names are compared by these bytes. */
  readonly der: Uint8Array
  /** RFC 4514 text, last RDN first: `CN=sigstore,O=sigstore.dev`. Empty for the empty name. */
  readonly text: string
}
