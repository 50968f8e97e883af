/** The certificate authority: Fulcio's v2 and v1 APIs over one issuing function. @module */
import type { RandomSource } from '#crypto/random'
import type { Fetch } from '#clients/http/fetch'
import type { Clock } from '#time'
import type { Route } from '#serving/routes'
import type { IssuingAuthority } from './authority.js'
import { checkAuthority } from './authority.js'
import type { FulcioConfig, IssuerConfig } from './config.js'
import type { CtLogPort } from './ct-log.js'
import { createKeyFinder } from './discovery.js'
import { FulcioConfigError } from './errors.js'
import { createIssuer } from './issue.js'
import { legacyRoutes } from './legacy-routes.js'
import { currentRoutes } from './routes.js'
import type { CertificateService } from './signing-request.js'

export interface CertificateAuthorityOptions {
  readonly authority: IssuingAuthority
  readonly config: FulcioConfig
  /** Absent: certificates without SCT. */
  readonly ctLog?: CtLogPort | undefined
  /** For discovery and keys of issuers. */
  readonly fetch: Fetch
  /** A door that trusts the issuer's own `caCert` as well; needed if an issuer has one. */
  readonly fetchFor?: ((issuer: IssuerConfig) => Fetch) | undefined
  readonly clock: Clock
  readonly random: RandomSource
}

/**
 * The routes of an authority. Its chain is checked before anything is served.
 * @throws FulcioConfigError FULCIO_CONFIG_CHAIN, FULCIO_CONFIG_ISSUER
 */
export async function certificateAuthorityRoutes(options: CertificateAuthorityOptions): Promise<readonly Route[]> {
  const { authority, config, ctLog, clock, random, fetch } = options
  await checkAuthority(authority, clock())
  if (options.fetchFor === undefined) refuseOwnAuthorities(config)
  const keyFinder = createKeyFinder({ fetchFor: options.fetchFor ?? (() => fetch), clock })
  const service: CertificateService = {
    tokenChecks: { config, keyFinder, clock },
    issue: createIssuer({ authority, ctLog, clock, random }),
    chain: authority.chain,
    embedsSct: ctLog !== undefined,
  }
  return [...currentRoutes(service), ...legacyRoutes(service)]
}

/** Silently asking such an issuer with the usual authorities would only fail later, at its first token. */
function refuseOwnAuthorities({ issuers, metaIssuers }: FulcioConfig): void {
  const found = [...issuers.values(), ...metaIssuers.values()].find(({ caCert }) => caCert !== undefined)
  if (found === undefined) return
  throw new FulcioConfigError(
    'FULCIO_CONFIG_ISSUER',
    'an issuer has a ca-cert, which this authority was not given a way to use',
    {
      found: found.issuerUrl,
      hint: 'add the certificate to those the process trusts (NODE_EXTRA_CA_CERTS), and remove ca-cert',
    },
  )
}
