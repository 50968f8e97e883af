/** Which of a signing configuration's services a signer uses now. @module */
import type { Service, ServiceSelector, SigningConfig } from '#formats/signing-config/signing-config'
import type { UnixMillis } from '#time'
import { SignError } from './sign-error.js'

/** API versions that this client speaks, best first. */
const SPOKEN = { ca: [1], oidc: [1], rekor: [2, 1], tsa: [1] } as const

export interface SelectedServices {
  /** Undefined where the configuration has none; a key needs none. */
  readonly authority: Service | undefined
  readonly oidc: Service | undefined
  readonly logs: readonly Service[]
  readonly timestampAuthorities: readonly Service[]
}

/**
 * Chooses as the specification of the signing configuration says: the newest valid services of the highest version,
 * one an operator, as many as the selector asks for.
 * @throws {@link SignError} `SIGN_NO_SERVICE` if there are fewer than asked for.
 */
export function selectServices(config: SigningConfig, now: UnixMillis): SelectedServices {
  return {
    authority: candidates(config.caUrls, SPOKEN.ca, now)[0],
    oidc: candidates(config.oidcUrls, SPOKEN.oidc, now)[0],
    logs: several({ services: config.rekorTlogUrls, selector: config.rekorTlogConfig, spoken: SPOKEN.rekor, now, what: 'transparency log' }),
    timestampAuthorities: several({ services: config.tsaUrls, selector: config.tsaConfig, spoken: SPOKEN.tsa, now, what: 'timestamp authority' }),
  }
}

interface Selection {
  readonly services: readonly Service[]
  readonly selector: ServiceSelector | undefined
  readonly spoken: readonly number[]
  readonly now: UnixMillis
  readonly what: string
}

function several({ services, selector, spoken, now, what }: Selection): readonly Service[] {
  if (services.length === 0) return []
  const found = candidates(services, spoken, now)
  const wanted = selector === undefined || selector.selector === 'ALL' ? found.length : selector.selector === 'ANY' ? 1 : selector.count
  if (found.length >= Math.max(1, wanted)) return found.slice(0, wanted)
  throw new SignError('SIGN_NO_SERVICE', `the signing configuration has no ${what} that can be used now`, {
    expected: `${String(Math.max(1, wanted))} that is valid now, of API version ${spoken.join(' or ')}, each of another operator`,
    found: `${String(found.length)} of the ${String(services.length)} listed`,
    hint: 'get a current signing configuration, or give one with --signing-config',
  })
}

/** Valid services of the best version there is, newest first, the newest of each operator. */
function candidates(services: readonly Service[], spoken: readonly number[], now: UnixMillis): readonly Service[] {
  for (const version of spoken) {
    const valid = services.filter((service) => service.majorApiVersion === version && isValid(service, now))
    if (valid.length === 0) continue
    const newest = [...valid].sort((one, other) => (other.validFor.start ?? -Infinity) - (one.validFor.start ?? -Infinity))
    return newest.filter(({ operator }, index) => newest.findIndex((service) => service.operator === operator) === index)
  }
  return []
}

function isValid({ validFor: { start, end } }: Service, now: UnixMillis): boolean {
  return (start === undefined || start <= now) && (end === undefined || now <= end)
}
