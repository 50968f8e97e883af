/** Which of a signing configuration's services a signer uses now. @module */
import { selectService, selectServices } from '#formats/signing-config/select'
import type { Service, SigningConfig } from '#formats/signing-config/signing-config'
import type { UnixMillis } from '#time'

/** API versions that this client speaks. */
const SPOKEN = { authority: [1], oidc: [1], rekor: [2, 1], tsa: [1] } as const

export interface SelectedServices {
  /** Undefined where the configuration lists none; a key needs none. */
  readonly authority: Service | undefined
  readonly oidc: Service | undefined
  readonly logs: readonly Service[]
  readonly timestampAuthorities: readonly Service[]
}

/** What is selected for; a key needs neither authority nor OIDC issuer, and then neither has to be valid. */
export interface SelectionPurpose {
  readonly certified: boolean
  readonly now: UnixMillis
}

/**
 * Chooses the services. A kind that the configuration does not list is not used.
 * @throws SigningConfigError if a kind is listed and none of it can be used now
 */
export function selectSigningServices(config: SigningConfig, { certified, now }: SelectionPurpose): SelectedServices {
  const context = (what: string, supportedVersions: readonly number[]): Parameters<typeof selectService>[1] => ({
    what,
    supportedVersions,
    now,
  })
  const one = (services: readonly Service[], spoken: readonly number[], what: string): Service | undefined =>
    !certified || services.length === 0 ? undefined : selectService(services, context(what, spoken))
  return {
    authority: one(config.caUrls, SPOKEN.authority, 'certificate authorities'),
    oidc: one(config.oidcUrls, SPOKEN.oidc, 'OIDC issuers'),
    logs:
      config.rekorTlogUrls.length === 0
        ? []
        : selectServices(config.rekorTlogUrls, config.rekorTlogConfig, context('transparency logs', SPOKEN.rekor)),
    timestampAuthorities:
      config.tsaUrls.length === 0
        ? []
        : selectServices(config.tsaUrls, config.tsaConfig, context('timestamp authorities', SPOKEN.tsa)),
  }
}
