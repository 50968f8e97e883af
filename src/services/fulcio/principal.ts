/** From a verified token to what a certificate says: one function an issuer type. @module */
import type { FulcioExtensions } from '#formats/x509/fulcio-extensions'
import type { GeneralName } from '#formats/x509/general-name'
import { codefreshPrincipal, githubPrincipal, gitlabPrincipal, buildkitePrincipal } from './ci-principals.js'
import { ciProviderPrincipal } from './ci-provider-principal.js'
import type { FulcioConfig, IssuerType } from './config.js'
import type { VerifiedToken } from './identity-token.js'
import {
  chainguardPrincipal,
  emailPrincipal,
  kubernetesPrincipal,
  spiffePrincipal,
  uriPrincipal,
  usernamePrincipal,
} from './principals.js'

/** Who is asking, in the certificate's terms. */
export interface Principal {
  /** What the proof of possession is over. */
  readonly name: string
  readonly subjectAltName: GeneralName
  /** Without the issuer and the token's subject being there, nothing is issued. */
  readonly claims: FulcioExtensions & { readonly issuerV1: string; readonly issuer: string }
}

const BUILDERS: Readonly<Record<IssuerType, (token: VerifiedToken, config: FulcioConfig) => Principal>> = {
  'buildkite-job': buildkitePrincipal,
  'chainguard-identity': chainguardPrincipal,
  'ci-provider': ciProviderPrincipal,
  'codefresh-workflow': codefreshPrincipal,
  email: emailPrincipal,
  'github-workflow': githubPrincipal,
  'gitlab-pipeline': gitlabPrincipal,
  kubernetes: kubernetesPrincipal,
  spiffe: spiffePrincipal,
  uri: uriPrincipal,
  username: usernamePrincipal,
}

/** @throws IssuingError ISSUING_IDENTITY if the claims do not name an identity of the issuer's kind */
export function principalOf(token: VerifiedToken, config: FulcioConfig): Principal {
  return BUILDERS[token.issuer.type](token, config)
}
