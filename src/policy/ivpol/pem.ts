/** Certificates and keys, as policies write them. @module */
import { defaultAlgorithm } from '#crypto/algorithms'
import { publicKeyFromPem } from '#crypto/public-key'
import { parsePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import type { TrustedAuthority, TrustedLog } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { isSelfIssued } from '#formats/x509/self-issued'
import { PolicyError } from '../internal/policy-error.js'

/** Longer chains are an attack on whoever follows them. */
const MAX_CERTIFICATES = 12

/** @throws PolicyError `POLICY_KEY` if there is none, or too many */
export function readCertificates(text: string): readonly Certificate[] {
  const blocks = guarded(() => parsePem(text)).filter(({ label }) => label === 'CERTIFICATE')
  if (blocks.length === 0 || blocks.length > MAX_CERTIFICATES) {
    throw new PolicyError('POLICY_KEY', 'expected certificates in PEM', {
      expected: `1 to ${String(MAX_CERTIFICATES)} certificates`,
      found: String(blocks.length),
    })
  }
  return blocks.map(({ bytes }) => guarded(() => parseCertificate(bytes)))
}

/** A log by its key, with what its kind usually has. @throws PolicyError `POLICY_KEY` */
export function readLog(text: string, baseUrl: string): TrustedLog {
  const key = guarded(() => publicKeyFromPem(text))
  return {
    baseUrl,
    hashAlgorithm: 'sha256',
    key,
    algorithm: defaultAlgorithm(key),
    validFor: { start: 0 },
    logId: key.id,
  }
}

/** Each certificate of a set of roots is an anchor, in whatever order they stand. */
export function anchorsOf(certificates: readonly Certificate[]): readonly TrustedAuthority[] {
  return certificates.map((certificate) => authority([certificate]))
}

/** The authority that a chain leads to, with all that leads there. @throws PolicyError `POLICY_KEY` if there is none */
export function stampingAuthorities(certificates: readonly Certificate[]): readonly TrustedAuthority[] {
  const isAuthority = ({ basicConstraints }: Certificate): boolean => basicConstraints?.ca === true
  const leaves = certificates.filter((each) => !isAuthority(each))
  const authorities = certificates.filter(isAuthority)
  const roots = authorities.filter(isSelfIssued)
  const others = authorities.filter((each) => !isSelfIssued(each))
  const anchors = roots.length > 0 ? roots : others.slice(-1)
  if (anchors.length === 0) throw new PolicyError('POLICY_KEY', 'the chain has no certificate of an authority')
  return anchors.map((anchor) => authority([...leaves, ...others.filter((each) => each !== anchor), anchor]))
}

function authority(chain: readonly Certificate[]): TrustedAuthority {
  return { uri: '', subject: undefined, chain, validFor: {} }
}

function guarded<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new PolicyError('POLICY_KEY', cause.message, { expected: cause.expected, found: cause.found, cause })
  }
}
