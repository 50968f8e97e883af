/**
 * Whether a checkpoint is of this log, and not of another one that happens to share its key.
 *
 * @module
 */
import { equalBytes } from '#encoding/bytes'
import { isCodedError } from '#errors'
import { keyIdOf, logKeyHash } from '#formats/note/key'
import type { KeyIdRule } from '#formats/note/key'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import { VerificationError } from '../errors.js'

/** How a checkpoint's first line names the log: Rekor v1 adds the number of its tree, Rekor v2 is named as C2SP says. */
export interface Origin {
  readonly rule: KeyIdRule
  /** What must stand in the signature line. */
  readonly name: string
}

const V1_ORIGIN = /^(\S+) - (\d{1,20})$/

/** Takes an origin line apart. */
export function readOrigin(origin: string): Origin {
  const name = V1_ORIGIN.exec(origin)?.[1]
  return name === undefined ? { rule: 'note', name: origin } : { rule: 'rekor-v1', name }
}

/**
 * Requires the origin to be that of the log.
 *
 * The id of an Ed25519 or RSA key of Rekor v2 is a hash over name and key, so it settles the question; an ECDSA key's is not,
 * so the name must be the log's host. Rekor v1 instances are by default named after the machine they run on, so there any
 * name will do that is not another trusted log's.
 * @throws VerificationError `VERIFY_CHECKPOINT`
 */
export function checkOrigin(origin: Origin, log: TrustedLog, all: readonly TrustedLog[]): void {
  if (hostNames(log.baseUrl).includes(origin.name)) return
  const another = all.find((other) => other !== log && hostNames(other.baseUrl).includes(origin.name))
  if (another === undefined && (origin.rule === 'rekor-v1' || isNamedByKeyId(origin, log))) return
  throw new VerificationError('VERIFY_CHECKPOINT', 'the checkpoint is of another log', {
    expected: `the origin ${hostNames(log.baseUrl)[0] ?? log.baseUrl}`,
    found: origin.name,
  })
}

function isNamedByKeyId(origin: Origin, log: TrustedLog): boolean {
  if (log.key.keyType.startsWith('ec-')) return false
  try {
    const hash = logKeyHash({ name: origin.name, key: log.key, rule: origin.rule })
    return equalBytes(keyIdOf(hash), keyIdOf(log.checkpointKeyId ?? log.logId))
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

/** With or without a scheme (sigstore_trustroot.proto, base_url). */
const BASE_URL = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/:?#[\]\s]+|\[[^\]]+\])(:\d+)?(\/[^?#]*)?/i

/** The names that a log at this address goes by: host, host with port, and host with path (static-ct, tlog-tiles). */
export function hostNames(baseUrl: string): readonly string[] {
  const [, host, port = '', path = ''] = BASE_URL.exec(baseUrl) ?? []
  if (host === undefined) return []
  const rest = path.replace(/\/+$/, '')
  return [host, `${host}${port}`, `${host}${rest}`, `${host}${port}${rest}`]
}
