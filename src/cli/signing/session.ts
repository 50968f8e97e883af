/** The signing session that a command line asks for: key or identity, witnesses, and the check at the end. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import { generatePrivateKey, type Signer } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { systemTimers } from '#clients/http/timers'
import type { Fetch } from '#clients/http/fetch'
import { certifiedCredential, type CredentialSource, fixedCredential } from '#sign/credentials'
import type { EnvelopeEntryKind } from '#sign/rekor-proposal'
import { NO_TRUST, selfCheck } from '#sign/self-check'
import { fulcioAuthority, rekorLog, rfc3161Authority } from '#sign/services'
import type { SigningSession } from '#sign/sign'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { certificateIdentity } from '#verify/identity/certificate-identity'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { inline } from '../kit/printable.js'
import { isKmsAddress, loadKmsSigner } from '../keys/services.js'
import { loadPrivateKey, refuseSecurityKey } from '../keys/reference.js'
import { loadTrust } from '../trust.js'
import { loadKeyCertificates } from './certificates.js'
import { type IdentityTokenFlags, identityFromFlags, requireIdentitySource } from './identity.js'
import { confirmPublication } from './privacy.js'
import { chooseServices, type ChosenServices, type ServiceFlags } from './services.js'

export interface SigningFlags extends ServiceFlags, IdentityTokenFlags {
  readonly key: string | undefined
  readonly sk: boolean
  readonly certificate: string | undefined
  readonly 'certificate-chain': string | undefined
  readonly 'trusted-root': string | undefined
  readonly 'issue-certificate': boolean
  readonly 'new-bundle-format': boolean
  readonly 'timestamp-client-cacert': string | undefined
  readonly 'timestamp-client-cert': string | undefined
  readonly 'timestamp-client-key': string | undefined
  readonly 'timestamp-server-name': string | undefined
  readonly yes: boolean
}

export interface SessionAsk {
  readonly flags: SigningFlags
  readonly changed: ReadonlySet<string>
  readonly signal: AbortSignal
  readonly verbose: boolean
  readonly algorithm?: AlgorithmName
  /** How envelopes are recorded in a Rekor v1. */
  readonly envelopeKind?: EnvelopeEntryKind
}

export interface CommandSession {
  readonly session: SigningSession
  readonly services: ChosenServices
  /** PEM of the public key goes into old bundles of key signatures. */
  readonly signer: Signer
}

/** Makes the session; a person is asked, and an authority, only when the first signature is made. */
export async function openSession(host: Host, ask: SessionAsk): Promise<CommandSession> {
  const { flags, verbose } = ask
  refuseSecurityKey(flags)
  requireKeyForCertificate(flags)
  const certified = flags.key === undefined || flags['issue-certificate']
  const fetch = await host.connect({ verbose })
  if (certified) await requireIdentitySource(host, { flags, fetch, verbose })
  const services = await chooseServices(host, { ...ask, certified })
  if (services.source === 'flags' && services.logs.length > 0) await confirmPublication(host, services, flags)
  const trust = await trustFor(host, { flags, services, certified })
  const signer = await makeSigner(host, ask)
  const credentials = certified
    ? await identityCredentials(host, { ...ask, services, fetch, signer })
    : fixedCredential(signer, await loadKeyCertificates(host, flags))
  warnIfUnwitnessed(host, services, certified)
  return {
    services,
    signer,
    session: {
      credentials,
      witnesses: {
        logs: services.logs.map((service) =>
          rekorLog(service, {
            fetch,
            timers: systemTimers,
            envelopeKind: ask.envelopeKind ?? 'dsse',
            logIdOf: logIdFrom(trust),
          }),
        ),
        timestampAuthorities: await timestampAuthorities(host, flags, services),
      },
      check: selfCheck({
        trust: trust ?? NO_TRUST,
        clock: host.clock,
        published: certified,
        witnessed: trust !== undefined,
      }),
    },
  }
}

/**
 * Gets the credential before anything is signed, since a login wants the terminal to itself, and says as whom: it becomes public, and
 * it is what verifiers will have to ask for.
 */
export async function settleSigner(host: Host, session: SigningSession, signal: AbortSignal): Promise<void> {
  const { chain } = await session.credentials.credential(signal)
  const [leaf] = chain
  if (leaf === undefined) return
  const { subjects, issuer } = certificateIdentity(parseCertificate(leaf))
  const names = subjects.map(({ value }) => inline(value)).join(', ')
  if (issuer !== undefined) host.terminal.note(`Signing as ${names}, vouched for by ${inline(issuer)}`)
}

async function makeSigner(
  host: Host,
  { flags, signal, algorithm = 'ecdsa-sha2-256-nistp256' }: SessionAsk,
): Promise<Signer> {
  if (flags.key !== undefined && isKmsAddress(flags.key)) return await loadKmsSigner(host, flags.key, signal)
  if (flags.key === undefined) host.terminal.note('Generating ephemeral keys...')
  return flags.key === undefined ? await generatePrivateKey(algorithm) : await loadPrivateKey(host, flags.key, signal)
}

interface CredentialsAsk extends SessionAsk {
  readonly services: ChosenServices
  readonly fetch: Fetch
  readonly signer: Signer
}

async function identityCredentials(
  host: Host,
  { flags, services, fetch, signer, verbose }: CredentialsAsk,
): Promise<CredentialSource> {
  if (services.authority === undefined) {
    throw new UsageError('USAGE_FLAG_MISSING', 'there is no certificate authority to sign without a key', {
      hint: 'give --key, or a signing configuration that lists a certificate authority',
    })
  }
  const identity = await identityFromFlags(host, {
    flags,
    issuer: services.oidc?.url,
    fetch,
    verbose,
    confirm: () => confirmPublication(host, services, flags),
  })
  return certifiedCredential({
    signer,
    identity,
    authority: fulcioAuthority(fetch, services.authority.url),
    clock: host.clock,
  })
}

function requireKeyForCertificate(flags: SigningFlags): void {
  if (flags.key !== undefined || (flags.certificate === undefined && flags['certificate-chain'] === undefined)) return
  throw new UsageError('USAGE_FLAG_MISSING', 'a certificate was given without its key', {
    expected: '--key beside --certificate',
  })
}

interface TrustAsk {
  readonly flags: SigningFlags
  readonly services: ChosenServices
  readonly certified: boolean
}

/**
 * What the result is checked against. With services named by old flags and a key of one's own there may be no trusted root
 * for them at all (cosign asks for none either): then only the signature itself is checked.
 */
async function trustFor(host: Host, { flags, services, certified }: TrustAsk): Promise<TrustedRoot | undefined> {
  const witnessed = services.logs.length + services.timestampAuthorities.length > 0
  if (!certified && !witnessed) return undefined
  if (!certified && services.source === 'flags' && flags['trusted-root'] === undefined) return undefined
  return await loadTrust(host, { 'trusted-root': flags['trusted-root'] })
}

function logIdFrom(trust: TrustedRoot | undefined): NonNullable<Parameters<typeof rekorLog>[1]['logIdOf']> {
  return ({ checkpoint }) =>
    trust?.tlogs.find(
      ({ baseUrl }) => URL.canParse(baseUrl) && new URL(baseUrl).host === checkpoint.origin.split('/')[0],
    )?.logId
}

async function timestampAuthorities(
  host: Host,
  flags: SigningFlags,
  services: ChosenServices,
): Promise<ReturnType<typeof rfc3161Authority>[]> {
  if (services.timestampAuthorities.length === 0) return []
  const fetch = await host.connect({
    tls: {
      caFile: flags['timestamp-client-cacert'],
      clientCertificateFile: flags['timestamp-client-cert'],
      clientKeyFile: flags['timestamp-client-key'],
      serverName: flags['timestamp-server-name'],
    },
  })
  return services.timestampAuthorities.map(({ url }) => rfc3161Authority(fetch, url, { random: randomBytes }))
}

/** A certificate of ten minutes that nobody saw in use verifies for ten minutes. */
function warnIfUnwitnessed(host: Host, services: ChosenServices, certified: boolean): void {
  const timed =
    services.timestampAuthorities.length > 0 || services.logs.some(({ majorApiVersion }) => majorApiVersion === 1)
  if (!certified || timed) return
  if (services.logs.length > 0) {
    throw new UsageError(
      'USAGE_FLAG_CONFLICT',
      'a timestamp authority must be provided to request a short-lived certificate that will be logged to Rekor',
      {
        found: 'a log that does not tell the time, and no timestamp authority',
        hint: 'add a timestamp authority to the signing configuration',
      },
    )
  }
  host.terminal.note(
    'WARNING: nobody witnesses when this signature is made: it stops verifying when its certificate expires, in minutes.',
  )
}
