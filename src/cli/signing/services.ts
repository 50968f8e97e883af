/** Which services a signing command uses: a signing configuration, or addresses given by the old flags. @module */
import { parseSigningConfig } from '#formats/signing-config/parse'
import type { Service } from '#formats/signing-config/signing-config'
import { type SelectedServices, selectSigningServices } from '#sign/select-services'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { parseInput } from '../read-input.js'

export interface ServiceFlags {
  readonly 'use-signing-config': boolean
  readonly 'signing-config': string | undefined
  readonly 'tlog-upload': boolean
  readonly 'rekor-url': string | undefined
  readonly 'fulcio-url': string | undefined
  readonly 'oidc-issuer': string | undefined
  readonly 'timestamp-server-url': string | undefined
}

/** The services to use, and where that came from. */
export interface ChosenServices extends SelectedServices {
  readonly source: 'signing-config' | 'flags'
}

const ADDRESS_FLAGS = ['rekor-url', 'fulcio-url', 'oidc-issuer', 'timestamp-server-url'] as const

/** The public instance's addresses, which cosign's flags default to. */
const PUBLIC = {
  'fulcio-url': 'https://fulcio.sigstore.dev',
  'rekor-url': 'https://rekor.sigstore.dev',
  'oidc-issuer': 'https://oauth2.sigstore.dev/auth',
} as const

export interface ServicesAsk {
  readonly flags: ServiceFlags
  readonly changed: ReadonlySet<string>
  /** A certificate has to be got, so that an authority and an identity are needed. */
  readonly certified: boolean
}

/**
 * Chooses the services. Addresses given by flags mean that no signing configuration is wanted; only where both are asked
 * for in so many words is it a contradiction.
 * @throws {@link UsageError} `USAGE_FLAG_CONFLICT`; errors of the signing configuration and of TUF
 */
export async function chooseServices(host: Host, { flags, changed, certified }: ServicesAsk): Promise<ChosenServices> {
  const path = flags['signing-config']
  const addressed = ADDRESS_FLAGS.filter((name) => flags[name] !== undefined)
  const configAsked = path !== undefined || (changed.has('use-signing-config') && flags['use-signing-config'])
  if (path !== undefined && changed.has('use-signing-config') && flags['use-signing-config']) {
    throw new UsageError(
      'USAGE_FLAG_CONFLICT',
      'if any flags in the group [use-signing-config signing-config] are set none of the others can be',
      {
        found: '--use-signing-config and --signing-config',
      },
    )
  }
  if (configAsked && addressed.length > 0) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'cannot specify service URLs and use signing config', {
      found: addressed.map((name) => `--${name}`).join(', '),
      hint: 'leave out either the addresses or the signing configuration',
    })
  }
  const chosen =
    path !== undefined || (flags['use-signing-config'] && addressed.length === 0)
      ? await fromConfig(host, { path, certified })
      : fromFlags(flags, certified)
  return flags['tlog-upload'] ? chosen : { ...chosen, logs: [] }
}

interface ConfigAsk {
  readonly path: string | undefined
  readonly certified: boolean
}

async function fromConfig(host: Host, { path, certified }: ConfigAsk): Promise<ChosenServices> {
  const bytes = path === undefined ? await configFromTuf(host) : await host.files.read(path)
  const config = parseInput(path ?? 'signing config of the TUF repository', () => parseSigningConfig(bytes))
  return { source: 'signing-config', ...selectSigningServices(config, { certified, now: host.clock() }) }
}

/** A chunk of its own: whoever gives a file needs no TUF. */
async function configFromTuf(host: Host): Promise<Uint8Array> {
  const { SIGNING_CONFIG_TARGET, tufTarget } = await import('../tuf.js')
  return await tufTarget(host, SIGNING_CONFIG_TARGET)
}

function fromFlags(flags: ServiceFlags, certified: boolean): ChosenServices {
  const service = (url: string): Service => ({ url, majorApiVersion: 1, validFor: {}, operator: '' })
  const tsa = flags['timestamp-server-url']
  return {
    source: 'flags',
    authority: certified ? service(flags['fulcio-url'] ?? PUBLIC['fulcio-url']) : undefined,
    oidc: certified ? service(flags['oidc-issuer'] ?? PUBLIC['oidc-issuer']) : undefined,
    logs: [service(flags['rekor-url'] ?? PUBLIC['rekor-url'])],
    timestampAuthorities: tsa === undefined ? [] : [service(tsa)],
  }
}
