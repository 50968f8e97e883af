/** Whom the authority believes: Fulcio's configuration of OIDC issuers. @module */
import type { FulcioClaim } from '#formats/x509/fulcio-extensions'
import type { Template } from './template.js'

/** How the claims of an issuer's tokens become an identity. */
export type IssuerType =
  | 'buildkite-job'
  | 'chainguard-identity'
  | 'ci-provider'
  | 'codefresh-workflow'
  | 'email'
  | 'github-workflow'
  | 'gitlab-pipeline'
  | 'kubernetes'
  | 'spiffe'
  | 'uri'
  | 'username'

/** Issuer type → the claim that the proof of possession is over. */
export const CHALLENGE_CLAIMS: Readonly<Record<IssuerType, 'sub' | 'email'>> = {
  'buildkite-job': 'sub',
  'chainguard-identity': 'sub',
  'ci-provider': 'sub',
  'codefresh-workflow': 'sub',
  email: 'email',
  'github-workflow': 'sub',
  'gitlab-pipeline': 'sub',
  kubernetes: 'sub',
  spiffe: 'sub',
  uri: 'sub',
  username: 'sub',
}

export interface IssuerConfig {
  /** Exactly as in the token's `iss`. For a wildcard issuer: the pattern. */
  readonly issuerUrl: string
  /** The audience that tokens must be for. */
  readonly clientId: string
  readonly type: IssuerType
  /** `ci-provider`: which entry of the providers applies. */
  readonly ciProvider?: string | undefined
  /** `email`: where the upstream issuer's name is, as a path such as `$.federated_claims.connector_id`. */
  readonly issuerClaim?: string | undefined
  /** `uri` (with scheme) and `username` (without). */
  readonly subjectDomain?: string | undefined
  /** `spiffe`. */
  readonly spiffeTrustDomain?: string | undefined
  /** Shown to clients in place of the type's own. */
  readonly challengeClaim?: string | undefined
  /** PEM of an authority for the issuer's own TLS. */
  readonly caCert?: string | undefined
  /** `email`: for identity providers that never state `email_verified`. */
  readonly skipEmailVerification?: boolean | undefined
}

/** How the claims of a CI provider's tokens become extensions. */
export interface CiProvider {
  readonly defaults: Readonly<Record<string, string>>
  readonly extensions: ReadonlyMap<FulcioClaim, Template>
  readonly subjectAltName: Template
}

export interface FulcioConfig {
  /** By issuer URL. */
  readonly issuers: ReadonlyMap<string, IssuerConfig>
  /** By pattern: `*` stands for one or more letters, digits, `-` or `_`. */
  readonly metaIssuers: ReadonlyMap<string, IssuerConfig>
  readonly ciProviders: ReadonlyMap<string, CiProvider>
}

/** A configuration of one issuer whose people are known by their e-mail addresses: what a private Sigstore starts with. */
export function emailIssuerConfig(issuerUrl: string, clientId = 'sigstore'): FulcioConfig {
  return {
    issuers: new Map([[issuerUrl, { issuerUrl, clientId, type: 'email' }]]),
    metaIssuers: new Map(),
    ciProviders: new Map(),
  }
}

/** No honest issuer URL comes near; it also bounds the work of matching patterns. */
const MAX_ISSUER_LENGTH = 2048

/**
 * The configuration for a token's issuer. Exact names go before patterns, and a pattern matches the whole of the URL:
 * matching a part would let `http://evil/?https://good/*` choose where keys are fetched from (GHSA-59jp-pj84-45mr).
 */
export function findIssuer(config: FulcioConfig, issuerUrl: string): IssuerConfig | undefined {
  const exact = config.issuers.get(issuerUrl)
  if (exact !== undefined || issuerUrl.length > MAX_ISSUER_LENGTH) return exact
  for (const [wildcard, issuer] of config.metaIssuers) {
    if (wildcardPattern(wildcard).test(issuerUrl)) return { ...issuer, issuerUrl }
  }
  return undefined
}

function wildcardPattern(wildcard: string): RegExp {
  const quoted = wildcard.split('*').map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'))
  return new RegExp(`^${quoted.join('[-_a-zA-Z0-9]+')}$`)
}
