/** The trusted root that a command line asks for. @module */
import { publicKeyFromPem } from '#crypto/public-key'
import { defaultAlgorithm } from '#crypto/algorithms'
import { parsePem } from '#encoding/pem'
import { parseTrustedRoot } from '#formats/trusted-root/parse'
import type { TrustedAuthority, TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { CliError } from './kit/errors.js'
import type { Host } from './kit/host.js'
import { parseInput, readTextFile } from './read-input.js'

export interface TrustFlags {
  readonly 'trusted-root': string | undefined
  readonly 'ca-roots'?: string | undefined
  readonly 'ca-intermediates'?: string | undefined
  readonly 'certificate-chain'?: string | undefined
  readonly 'timestamp-certificate-chain'?: string | undefined
  readonly offline?: boolean
}

/** Nothing is trusted: enough for a signature by a known key that nobody has to have witnessed. */
export const EMPTY_TRUST: TrustedRoot = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] }

/**
 * The trusted root: the file given, or what the TUF repository delivers. PEM files given by the old flags and variables
 * take the place of what they stand for; the repository is asked only if something is still missing.
 * @throws {@link CliError}, TrustedRootError, or what the TUF client throws
 */
export async function loadTrust(host: Host, flags: TrustFlags): Promise<TrustedRoot> {
  const parts = await explicitParts(host, flags)
  const complete = Object.keys(EMPTY_TRUST).every((name) => name in parts)
  if (complete) return { ...EMPTY_TRUST, ...parts }
  const path = flags['trusted-root']
  const base =
    path === undefined ? await trustedRootFromTuf(host, flags.offline === true) : await trustedRootFromFile(host, path)
  return { ...base, ...parts }
}

async function trustedRootFromFile(host: Host, path: string): Promise<TrustedRoot> {
  const bytes = await host.files.read(path)
  return parseInput(path, () => parseTrustedRoot(bytes))
}

async function trustedRootFromTuf(host: Host, offline: boolean): Promise<TrustedRoot> {
  const { tufTarget, TRUSTED_ROOT_TARGET } = await import('./tuf.js')
  return parseTrustedRoot(await tufTarget(host, TRUSTED_ROOT_TARGET, { offline }))
}

type Parts = { -readonly [Name in keyof TrustedRoot]?: TrustedRoot[Name] }

async function explicitParts(host: Host, flags: TrustFlags): Promise<Parts> {
  // What was asked for in so many words is not changed by what happens to stand in the environment.
  const variable = (name: string): string | undefined =>
    flags['trusted-root'] === undefined ? host.environment[name] || undefined : undefined
  const parts: Parts = {}
  const roots = flags['ca-roots'] ?? variable('SIGSTORE_ROOT_FILE')
  if (roots !== undefined)
    parts.certificateAuthorities = await authoritiesFromRoots(host, roots, flags['ca-intermediates'])
  const chain = flags['certificate-chain']
  if (chain !== undefined) parts.certificateAuthorities = [authority(await readCertificates(host, chain))]
  const tsa = flags['timestamp-certificate-chain'] ?? variable('SIGSTORE_TSA_CERTIFICATE_FILE')
  if (tsa !== undefined) parts.timestampAuthorities = [authority(await readCertificates(host, tsa))]
  const rekor = variable('SIGSTORE_REKOR_PUBLIC_KEY')
  if (rekor !== undefined) parts.tlogs = await logsFromKeys(host, rekor)
  const ctLog = variable('SIGSTORE_CT_LOG_PUBLIC_KEY_FILE')
  if (ctLog !== undefined) parts.ctlogs = await logsFromKeys(host, ctLog)
  return parts
}

/** Certificates of a PEM file, in its order. @throws {@link CliError} `CLI_INPUT` if there are none. */
export async function readCertificates(host: Host, path: string): Promise<readonly Certificate[]> {
  const text = await readTextFile(host, path)
  const certificates = parseInput(path, () => {
    return parsePem(text).flatMap(({ label, bytes }) => (label === 'CERTIFICATE' ? [parseCertificate(bytes)] : []))
  })
  if (certificates.length > 0) return certificates
  throw new CliError('CLI_INPUT', `no certificates in certificate chain`, {
    expected: 'PEM blocks of type CERTIFICATE',
    found: path,
  })
}

/** Which intermediate belongs to which root is for path building to find out, so every pair is offered. */
async function authoritiesFromRoots(
  host: Host,
  roots: string,
  intermediates: string | undefined,
): Promise<readonly TrustedAuthority[]> {
  const anchors = await readCertificates(host, roots)
  const between = intermediates === undefined ? [] : await readCertificates(host, intermediates)
  return anchors.flatMap((root) => [authority([root]), ...between.map((certificate) => authority([certificate, root]))])
}

function authority(chain: readonly Certificate[]): TrustedAuthority {
  return { uri: '', subject: undefined, chain, validFor: { start: 0 } }
}

async function logsFromKeys(host: Host, path: string): Promise<readonly TrustedLog[]> {
  const text = await readTextFile(host, path)
  const keys = text.match(/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g) ?? []
  return keys.map((pem) => {
    const key = parseInput(path, () => publicKeyFromPem(pem))
    return {
      baseUrl: '',
      hashAlgorithm: 'sha256',
      key,
      algorithm: defaultAlgorithm(key),
      validFor: { start: 0 },
      logId: key.id,
    }
  })
}
