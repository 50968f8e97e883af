import type { Name } from './name.js'
export type GeneralName =
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'uri'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: Uint8Array }
  | { readonly kind: 'directory'; readonly value: Name }
  /** `text` is there when the value is a UTF8String, as Fulcio's user names are (OID 1.3.6.1.4.1.57264.1.7). */
  | { readonly kind: 'other'; readonly oid: string; readonly value: Uint8Array; readonly text: string | undefined }
  /** x400Address, ediPartyName, registeredID: kept, not understood. */
  | { readonly kind: 'unsupported'; readonly tag: number; readonly value: Uint8Array }
