/**
 * RFC 3161 time-stamps over the signature, by authorities of the trusted root (client-spec §4.2.1).
 *
 * @module
 */
import { digest } from '#crypto/digest'
import { equalBytes } from '#encoding/bytes'
import type { CodedError } from '#errors'
import { isCodedError } from '#errors'
import { grantedToken, parseTimestampResponse } from '#formats/cms/parse-timestamp'
import { isSigner } from '#formats/cms/signer'
import type { TimestampToken } from '#formats/cms/timestamp'
import { embeddedCertificates, verifyTimestampSignature } from '#formats/cms/timestamp-signature'
import type { TrustedAuthority } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import type { CandidatePath } from '../certificate/candidate-paths.js'
import { candidatePaths } from '../certificate/candidate-paths.js'
import { pathProblem } from '../certificate/verified-certificate.js'
import { VerificationError } from '../errors.js'
import { witnessedTime } from './verified-time.js'
import type { VerifiedTime } from './verified-time.js'

/** No trusted authority made the time-stamp: it proves nothing, and says nothing against the signature either. */
export const UNKNOWN_AUTHORITY = 'unknown-authority'

/**
 * Verifies one TimeStampResp over the signature bytes.
 * @returns the time, or {@link UNKNOWN_AUTHORITY} if the signer is none of the trusted ones
 * @throws VerificationError `VERIFY_TIMESTAMP`, TimestampError, CmsError: a trusted authority's time-stamp that is wrong
 */
export async function verifyTimestamp(
  response: Uint8Array,
  stampable: readonly Uint8Array[],
  authorities: readonly TrustedAuthority[],
): Promise<VerifiedTime | typeof UNKNOWN_AUTHORITY> {
  const token = grantedToken(parseTimestampResponse(response))
  const embedded = embeddedCertificates(token)
  let problem: CodedError | undefined
  for (const authority of authorities) {
    const signers = signersOf(authority, embedded).filter((certificate) =>
      isSigner(token.signedData.signer, certificate),
    )
    for (const signer of signers) {
      try {
        return await verifyBy(token, signer, { authority, embedded, stampable })
      } catch (error) {
        if (!isCodedError(error)) throw error
        // Another authority of the root may hold the same certificate with another validity.
        problem = error
      }
    }
  }
  if (problem === undefined) return UNKNOWN_AUTHORITY
  throw problem
}

interface Context {
  readonly authority: TrustedAuthority
  readonly embedded: readonly Certificate[]
  readonly stampable: readonly Uint8Array[]
}

async function verifyBy(token: TimestampToken, signer: Certificate, context: Context): Promise<VerifiedTime> {
  const { authority, embedded, stampable } = context
  const { genTime } = token.info
  checkImprint(token, stampable)
  // RFC 3161 §2.4.1: certificates in a time-stamp include the signer's own. One that differs was changed on the way.
  if (embedded.length > 0 && !embedded.some((certificate) => equalBytes(certificate.der, signer.der))) {
    throw new VerificationError('VERIFY_TIMESTAMP', 'the certificate in the timestamp is not the authority’s', {
      expected: `the certificate of ${signer.subject.text}`,
      found: 'another certificate',
    })
  }
  await verifyTimestampSignature(token, [signer])
  const untrusted = embedded.filter((certificate) => certificate !== signer)
  const paths = await pathsOf(signer, authority, untrusted)
  const problems = paths.map((path) => pathProblem(path, genTime))
  if (!problems.includes(undefined)) {
    throw new VerificationError(
      'VERIFY_TIMESTAMP',
      'the timestamp authority was not valid at the time it states',
      problems[0],
    )
  }
  return witnessedTime(genTime, { kind: 'timestamp-authority', authority })
}

/** Requires a time-stamp to be over one of the texts. @throws VerificationError `VERIFY_TIMESTAMP` */
export function checkImprint({ info: { imprint } }: TimestampToken, stampable: readonly Uint8Array[]): void {
  if (stampable.some((bytes) => equalBytes(digest(imprint.digest, bytes), imprint.hash))) return
  throw new VerificationError('VERIFY_TIMESTAMP', 'the timestamp is over something else', {
    expected: `the ${imprint.digest} digest of this signature`,
    found: 'another digest',
    hint: 'the timestamp was made for another signature',
  })
}

async function pathsOf(
  leaf: Certificate,
  authority: TrustedAuthority,
  untrusted: readonly Certificate[],
): Promise<readonly CandidatePath[]> {
  try {
    return await candidatePaths({ leaf, purpose: 'time-stamping', authorities: [authority], untrusted })
  } catch (cause) {
    if (!(cause instanceof VerificationError)) throw cause
    // Under its own code this would read as if the signer's certificate were meant.
    const { expected, found } = cause
    throw new VerificationError('VERIFY_TIMESTAMP', `the timestamp authority: ${cause.message}`, {
      expected,
      found,
      cause,
    })
  }
}

/** A trusted root names the authority's own certificate first; only where it does not, an embedded one can be it. */
function signersOf(authority: TrustedAuthority, embedded: readonly Certificate[]): readonly Certificate[] {
  const [first] = authority.chain
  return first !== undefined && first.basicConstraints?.ca !== true ? [first] : embedded
}
