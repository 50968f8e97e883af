/** Which services a signer uses: the selection rules of sigstore_trustroot.proto. @module */
import { formatRfc3339, type UnixMillis } from '#time'
import { timeRangeContains } from '../trusted-root/time-range.js'
import type { Service, ServiceSelector } from './signing-config.js'
import { SigningConfigError } from './signing-config-error.js'

/** What a client can speak, and when it is. */
export interface SelectionContext {
  readonly supportedVersions: readonly number[]
  readonly now: UnixMillis
  /** For messages: "Fulcio", "Rekor". */
  readonly what: string
}

/**
 * The one certificate authority or identity provider to use: of the highest version spoken, valid now, the newest.
 * @throws SigningConfigError `SIGNING_CONFIG_NO_SERVICE`
 */
export function selectService(services: readonly Service[], context: SelectionContext): Service {
  const [newest] = eligible(services, context)
  if (newest !== undefined) return newest
  throw noService(services, context)
}

/**
 * The logs or timestamp authorities to use: of one version, the highest spoken; valid now; of each operator the newest;
 * and of these as many as the configuration wants. Where it leaves a choice, the newest are taken: the same ones every time,
 * so that a failure can be repeated.
 * @throws SigningConfigError `SIGNING_CONFIG_NO_SERVICE`, `SIGNING_CONFIG_SELECTOR`
 */
export function selectServices(
  services: readonly Service[],
  selector: ServiceSelector | undefined,
  context: SelectionContext,
): readonly Service[] {
  if (selector === undefined) {
    throw new SigningConfigError(
      'SIGNING_CONFIG_SELECTOR',
      `the signing configuration does not say how many of ${context.what} to use`,
      {
        expected: 'selector ANY, ALL or EXACT',
      },
    )
  }
  const byOperator = new Map<string, Service>()
  for (const service of eligible(services, context)) {
    if (!byOperator.has(service.operator)) byOperator.set(service.operator, service)
  }
  const candidates = [...byOperator.values()]
  const wanted = wantedCount(selector, candidates.length)
  if (candidates.length > 0 && wanted <= candidates.length) return candidates.slice(0, wanted)
  if (candidates.length === 0) throw noService(services, context)
  throw new SigningConfigError('SIGNING_CONFIG_NO_SERVICE', `too few operators of ${context.what} are available`, {
    expected: String(wanted),
    found: String(candidates.length),
  })
}

function wantedCount(selector: ServiceSelector, available: number): number {
  switch (selector.selector) {
    case 'ALL':
      return available
    case 'ANY':
      return 1
    case 'EXACT':
      return selector.count
  }
}

/** Valid now and of the highest version that is both offered and spoken, newest first. */
function eligible(services: readonly Service[], { supportedVersions, now }: SelectionContext): readonly Service[] {
  const usable = services.filter(
    ({ majorApiVersion, validFor }) => supportedVersions.includes(majorApiVersion) && timeRangeContains(validFor, now),
  )
  const version = Math.max(...usable.map((service) => service.majorApiVersion))
  return usable.filter((service) => service.majorApiVersion === version).sort((a, b) => startOf(b) - startOf(a))
}

function startOf({ validFor }: Service): number {
  return validFor.start ?? Number.MIN_SAFE_INTEGER
}

function noService(services: readonly Service[], context: SelectionContext): SigningConfigError {
  const { what, supportedVersions, now } = context
  const early = services.some(({ validFor: { start } }) => start !== undefined && start > now)
  return new SigningConfigError('SIGNING_CONFIG_NO_SERVICE', `the signing configuration has no usable ${what}`, {
    expected: `a service that is valid now (${formatRfc3339(now)}), of version ${supportedVersions.join(' or ')}`,
    found: services.map(describeService).join(', ') || 'none',
    ...(early && { hint: 'one of them becomes valid later: check this machine’s clock' }),
  })
}

function describeService({ url, majorApiVersion, validFor: { start, end } }: Service): string {
  const from = start === undefined ? '' : `, from ${formatRfc3339(start)}`
  const to = end === undefined ? '' : `, until ${formatRfc3339(end)}`
  return `${url} (version ${String(majorApiVersion)}${from}${to})`
}
