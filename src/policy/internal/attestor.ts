/** Who must have signed, by whose word it is believed, and what evidence is asked for. @module */
import type { Algorithm } from '#crypto/algorithms'
import type { DigestName } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import type { TrustedAuthority, TrustedLog } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import type { RequirableClaim } from '#verify/identity/identity-policy'
import type { Pattern } from '#verify/pattern/pattern'

/** A text of a certificate that is compared. */
export type TextMatch =
  | { readonly kind: 'exact'; readonly text: string }
  /** `*` any characters, `?` one; the whole text. */
  | { readonly kind: 'wildcard'; readonly pattern: string }
  /** RE2. `part`: a match anywhere suffices, as the originals have it, unless the pattern has its own anchors. */
  | { readonly kind: 'pattern'; readonly pattern: Pattern; readonly extent: 'whole' | 'part' }

/** One allowed signer. All three must hold; an empty `issuer` or `subject` is refused, never read as "any". */
export interface IdentityMatch {
  /** All of these. */
  readonly issuer: readonly TextMatch[]
  /** Any of these, on any of the certificate's names. A certificate without a name has none that matches. */
  readonly subject: readonly TextMatch[]
  /** Each of these extensions, by Fulcio's name for it. */
  readonly claims: ReadonlyMap<RequirableClaim, TextMatch>
}

/** A key, or where it is kept. Keeping the last good one and its refusal otherwise are the loader's and the engine's. */
export type KeySource =
  | { readonly kind: 'inline'; readonly key: PublicKey }
  /** Of the policy's own namespace where none is given. */
  | {
      readonly kind: 'secret'
      readonly namespace: string | undefined
      readonly name: string
      /** Which entry of the secret; absent: its only one. */
      readonly entry?: string
    }
  | { readonly kind: 'kms'; readonly uri: string }

/** A key that signers of a policy have. */
export interface KnownKey {
  readonly key: PublicKey
  /** The only algorithm that it signs with, where a service lets it sign with one alone. */
  readonly algorithm?: Algorithm | undefined
}

/** Who signs. */
export type Signer =
  | {
      readonly kind: 'key'
      readonly source: KeySource
      readonly digest: DigestName | undefined
      readonly algorithm?: Algorithm
    }
  | { readonly kind: 'keyless'; readonly anyOf: readonly IdentityMatch[] }
  /** One certificate, or any that the authority at the end of the chain issued. At least one of the two is there. */
  | {
      readonly kind: 'certificate'
      readonly certificate: Certificate | undefined
      readonly chain: readonly Certificate[]
    }

/** Where one part of the trust comes from. */
export type TrustPart<T> =
  /** The installation's own trust root. */
  | { readonly kind: 'default' }
  /** A trust root by name. One that cannot be had is a refusal. */
  | { readonly kind: 'named'; readonly name: string }
  /** What the policy itself says. */
  | { readonly kind: 'own'; readonly values: readonly T[] }

/** By whose word signers, times and logs are believed. */
export interface TrustSource {
  readonly certificateAuthorities: TrustPart<TrustedAuthority>
  readonly ctlogs: TrustPart<TrustedLog>
  readonly tlogs: TrustPart<TrustedLog>
  readonly timestampAuthorities: TrustPart<TrustedAuthority>
}

/** Which evidence is asked for. */
export interface Evidence {
  /** `if-present`: an entry is verified where there is one; a certificate still needs a time from somewhere. */
  readonly tlog: 'required' | 'if-present' | 'ignored'
  readonly timestamp: 'required' | 'accepted'
  readonly sct: 'required' | 'ignored'
  /** `now`: a certificate that nobody says the time of is judged at the current one, where the policy says so. Absent: it is refused. */
  readonly unwitnessed?: 'refused' | 'now'
}

/** Where signatures are looked for. */
export interface SignatureSource {
  /** Instead of beside the image: `registry/repository`. */
  readonly repository?: string
  readonly tagPrefix?: string
  /** `any`: both layouts, side by side. */
  readonly format: 'any' | 'legacy' | 'bundle'
  /** Secrets with which that repository is read, in the namespace of the resource where none is given. */
  readonly pullSecrets: readonly { readonly namespace?: string; readonly name: string }[]
}

/** One signer with everything that verifying takes. */
export interface Attestor {
  /** What the policy calls it, or where in the policy it stands: `authority-0`, `.attestors[0].entries[1].keyless`. */
  readonly name: string
  readonly signer: Signer
  readonly trust: TrustSource
  readonly evidence: Evidence
  readonly source: SignatureSource
  /** Annotations that the very signature that counts must have, with these values. */
  readonly annotations: ReadonlyMap<string, TextMatch>
}

export const DEFAULT_TRUST: TrustSource = {
  certificateAuthorities: { kind: 'default' },
  ctlogs: { kind: 'default' },
  tlogs: { kind: 'default' },
  timestampAuthorities: { kind: 'default' },
}

export const DEFAULT_SOURCE: SignatureSource = { format: 'any', pullSecrets: [] }
