/**
 * The paths from a certificate to a trust anchor, as far as signatures and constraints allow them at any time.
 *
 * @module
 */
import { equalBytes } from '#encoding/bytes'
import { isCodedError } from '#errors'
import type { TrustedAuthority } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import { certificateKey } from '#formats/x509/certificate-key'
import { verifyCertificateSignature } from '#formats/x509/certificate-signature'
import { VerificationError } from '../errors.js'
import { checkPathRules, describe } from './path-rules.js'
import type { CertificatePurpose } from './path-rules.js'

/** A path whose signatures and constraints hold; whether it holds at some time is another question. */
export interface CandidatePath {
  /** The leaf first, the trust anchor last. */
  readonly certificates: readonly Certificate[]
  readonly authority: TrustedAuthority
}

/** What paths are to be found for. */
export interface PathRequest {
  readonly leaf: Certificate
  readonly purpose: CertificatePurpose
  readonly authorities: readonly TrustedAuthority[]
  /** Intermediates that came with what is verified; they only help to reach an anchor. */
  readonly untrusted: readonly Certificate[]
}

/** Private hierarchies have three or four levels; a loop of cross-certificates must end. */
const MAX_LENGTH = 8
/** Every step costs a signature check, and the untrusted certificates are the attacker's choice. */
const MAX_CHECKS = 64

/** Which issuer signed which certificate: asked once for what a trusted root keeps in memory, and not for passing leaves. */
const knownSignatures = new WeakMap<Certificate, WeakMap<Certificate, Promise<boolean>>>()

/**
 * Finds every path, at least one.
 * @throws VerificationError `VERIFY_CERTIFICATE_PATH` with the reason of the most promising attempt
 */
export async function candidatePaths(request: PathRequest): Promise<readonly [CandidatePath, ...CandidatePath[]]> {
  const paths: CandidatePath[] = []
  const search: Search = { checks: 0, reason: undefined }
  for (const authority of request.authorities) {
    for (const certificates of await pathsTo(authority, request, search)) {
      try {
        checkPathRules(certificates, request.purpose)
        paths.push({ certificates, authority })
      } catch (error) {
        if (!isCodedError(error)) throw error
        search.reason = error
      }
    }
  }
  const [first, ...rest] = paths
  if (first !== undefined) return [first, ...rest]
  if (search.reason instanceof VerificationError) throw search.reason
  throw new VerificationError('VERIFY_CERTIFICATE_PATH', 'the certificate does not lead to a trusted authority', {
    expected: `an issuer among: ${request.authorities.map(({ chain }) => chain.map(describe).join(' < ')).join('; ') || 'none, the trusted root has no authority'}`,
    found: `a certificate issued by ${JSON.stringify(request.leaf.issuer.text)}`,
    hint: 'use the trusted root of the instance that issued the certificate',
  })
}

interface Search {
  checks: number
  reason: unknown
}

async function pathsTo(
  authority: TrustedAuthority,
  request: PathRequest,
  search: Search,
): Promise<readonly (readonly Certificate[])[]> {
  const anchor = authority.chain.at(-1)
  if (anchor === undefined) return []
  const issuers = [...authority.chain, ...request.untrusted]
  const finished: (readonly Certificate[])[] = []
  const open: (readonly Certificate[])[] = [[request.leaf]]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const last = path.at(-1)
    if (last === undefined) continue
    for (const issuer of issuers) {
      if (!equalBytes(issuer.subject.der, last.issuer.der) || contains(path, issuer)) continue
      if (++search.checks > MAX_CHECKS)
        throw new VerificationError('VERIFY_LIMIT', 'too many certificates to find a path')
      if (!(await (last === request.leaf ? checkSignature(last, issuer) : isSignedBy(last, issuer)))) continue
      if (issuer === anchor) finished.push([...path, issuer])
      else if (path.length + 1 < MAX_LENGTH) open.push([...path, issuer])
    }
  }
  return finished
}

function contains(path: readonly Certificate[], certificate: Certificate): boolean {
  return path.some((each) => each === certificate || equalBytes(each.der, certificate.der))
}

function isSignedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  let ofCertificate = knownSignatures.get(certificate)
  if (ofCertificate === undefined) knownSignatures.set(certificate, (ofCertificate = new WeakMap()))
  let known = ofCertificate.get(issuer)
  if (known === undefined) ofCertificate.set(issuer, (known = checkSignature(certificate, issuer)))
  return known
}

async function checkSignature(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  try {
    await verifyCertificateSignature(certificate, certificateKey(issuer))
    return true
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}
