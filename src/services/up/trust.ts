/** What clients must know of an instance: whom to believe, and where to go. @module */
import type { PublicKey } from '#crypto/public-key'
import { ALGORITHMS } from '#crypto/algorithms'
import type { AlgorithmName } from '#crypto/algorithms'
import { keyIdOf } from '#formats/note/key'
import type { SigningConfig, Service } from '#formats/signing-config/signing-config'
import type { TrustedAuthority, TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import type { UnixMillis } from '#time'

/** One log as its operator knows it. */
export interface LogIdentity {
  readonly baseUrl: string
  readonly key: PublicKey
  readonly algorithm: AlgorithmName
  readonly logId: Uint8Array
}

/** Everything that the trusted root and the signing configuration are made from. */
export interface Deployment {
  readonly url: string
  readonly issuer: string
  readonly created: UnixMillis
  readonly fulcioChain: readonly Certificate[]
  readonly tsaChain: readonly Certificate[]
  readonly ctLog: LogIdentity
  readonly rekor: LogIdentity
  readonly rekorTiles: LogIdentity
}

const OPERATOR = 'countersign'

/** The trusted root of an instance: everything is valid from its creation on, without an end. */
export function deploymentTrustedRoot(deployment: Deployment): TrustedRoot {
  const { url, created, fulcioChain, tsaChain, ctLog, rekor, rekorTiles } = deployment
  const log = (identity: LogIdentity): TrustedLog => trustedLog(identity, created)
  return {
    certificateAuthorities: [authority(url, fulcioChain, created)],
    timestampAuthorities: [authority(`${url}/api/v1/timestamp`, tsaChain, created)],
    tlogs: [rekor, rekorTiles].map(log),
    ctlogs: [log(ctLog)],
  }
}

/** The signing configuration: one service of each kind, and both versions of the log, of which clients take the newest they know. */
export function deploymentSigningConfig({ url, issuer, created }: Deployment): SigningConfig {
  const service = (address: string, majorApiVersion: number): Service => ({
    url: address,
    majorApiVersion,
    validFor: { start: created },
    operator: OPERATOR,
  })
  return {
    caUrls: [service(url, 1)],
    oidcUrls: [service(issuer, 1)],
    rekorTlogUrls: [service(url, 2), service(url, 1)],
    tsaUrls: [service(`${url}/api/v1/timestamp`, 1)],
    rekorTlogConfig: { selector: 'ANY' },
    tsaConfig: { selector: 'ANY' },
  }
}

function authority(uri: string, chain: readonly Certificate[], start: UnixMillis): TrustedAuthority {
  return {
    uri,
    subject: { organization: OPERATOR, commonName: OPERATOR },
    chain,
    validFor: { start },
    operator: OPERATOR,
  }
}

function trustedLog({ baseUrl, key, algorithm, logId }: LogIdentity, start: UnixMillis): TrustedLog {
  return {
    baseUrl,
    hashAlgorithm: 'sha256',
    key,
    algorithm: ALGORITHMS[algorithm],
    validFor: { start },
    logId,
    checkpointKeyId: keyIdOf(logId),
    operator: OPERATOR,
  }
}
