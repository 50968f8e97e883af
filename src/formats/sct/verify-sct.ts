/** Whether an SCT is by a given log over a given entry (RFC 6962 §3.2). @module */
import type { SignatureScheme } from '#crypto/algorithms'
import type { DigestName } from '#crypto/digest'
import type { Signer } from '#crypto/private-key'
import type { PublicKey } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import { SctError } from './errors.js'
import type { SignedCertificateTimestamp } from './sct.js'
import type { SctEntry } from './sct-entry.js'
import { sctSignatureInput } from './sct-entry.js'

/** TLS HashAlgorithm (RFC 5246 §7.4.1.4.1); 8 is "intrinsic" (RFC 8422 §5.1.3). */
const HASHES: ReadonlyMap<number, DigestName | undefined> = new Map<number, DigestName | undefined>([
  [4, 'sha256'],
  [5, 'sha384'],
  [6, 'sha512'],
  [8, undefined],
])

/** TLS SignatureAlgorithm. */
const FAMILIES: ReadonlyMap<number, SignatureScheme['family']> = new Map<number, SignatureScheme['family']>([
  [1, 'rsa-pkcs1'],
  [3, 'ecdsa'],
  [7, 'ed25519'],
])

/**
 * Verifies an SCT under a log's key. That the log is trusted, and was at that time, is the caller's.
 * @throws SctError SCT_SIGNATURE, SCT_UNSUPPORTED
 */
export async function verifySct(sct: SignedCertificateTimestamp, entry: SctEntry, logKey: PublicKey): Promise<void> {
  const scheme = sctScheme(sct)
  let valid: boolean
  try {
    valid = await verifySignature({ key: logKey, scheme, signature: sct.signature }, sctSignatureInput(sct, entry))
  } catch (cause) {
    if (cause instanceof SctError || !isCodedError(cause)) throw cause
    throw new SctError('SCT_SIGNATURE', `the SCT cannot be by this log: ${cause.message}`, {
      expected: cause.expected,
      found: cause.found,
      cause,
    })
  }
  if (!valid) throw new SctError('SCT_SIGNATURE', 'the SCT is not signed by the log over this certificate')
}

/** What a log signs an SCT with. */
export interface SctRequest {
  readonly entry: SctEntry
  readonly timestamp: UnixMillis
  /** CtExtensions; empty for logs without. */
  readonly extensions: Uint8Array
}

/** Signs an SCT with a log's key. @throws SctError SCT_UNSUPPORTED if TLS has no name for the key's algorithm */
export async function signSct(request: SctRequest, logKey: Signer): Promise<SignedCertificateTimestamp> {
  const { timestamp, extensions } = request
  const codes = schemeCodes(logKey.algorithm)
  const signature = await logKey.sign(sctSignatureInput({ timestamp, extensions }, request.entry))
  return { logId: logKey.publicKey.id, timestamp, extensions, ...codes, signature }
}

function sctScheme(sct: SignedCertificateTimestamp): SignatureScheme {
  const family = FAMILIES.get(sct.signatureAlgorithm)
  if (family !== undefined && HASHES.has(sct.hashAlgorithm)) {
    const digest = HASHES.get(sct.hashAlgorithm)
    if ((family === 'ed25519') === (digest === undefined)) return { family, digest }
  }
  throw new SctError('SCT_UNSUPPORTED', 'the SCT is signed with an unknown algorithm', {
    expected: 'ECDSA or RSA with SHA-2, or Ed25519',
    found: `hash ${String(sct.hashAlgorithm)}, signature ${String(sct.signatureAlgorithm)}`,
  })
}

/** How TLS names the algorithm of a log's signatures. @throws SctError SCT_UNSUPPORTED */
export function schemeCodes(
  scheme: SignatureScheme,
): Pick<SignedCertificateTimestamp, 'hashAlgorithm' | 'signatureAlgorithm'> {
  const hash = [...HASHES].find(([, digest]) => digest === scheme.digest)
  const signature = [...FAMILIES].find(([, family]) => family === scheme.family)
  if (hash === undefined || signature === undefined) {
    throw new SctError('SCT_UNSUPPORTED', 'a CT log cannot sign with this algorithm', { found: scheme.family })
  }
  return { hashAlgorithm: hash[0], signatureAlgorithm: signature[0] }
}
