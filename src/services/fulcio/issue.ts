/** Issuing a certificate: the profile, the precertificate, the log's promise, and the final signature. @module */
import { encodeSignatureAlgorithm } from '#crypto/algorithm-identifiers'
import type { PublicKey } from '#crypto/public-key'
import type { RandomSource } from '#crypto/random'
import { equalBytes } from '#encoding/bytes'
import { derBitString, derSequence } from '#encoding/der-writer'
import { isCodedError } from '#errors'
import { encodeSctList, parseSct } from '#formats/sct/sct'
import { precertEntry } from '#formats/sct/sct-entry'
import { verifySct } from '#formats/sct/verify-sct'
import type { CertificateFields } from '#formats/x509/build-certificate'
import { encodeTbsCertificate, randomSerialNumber } from '#formats/x509/build-certificate'
import type { Certificate } from '#formats/x509/certificate'
import {
  POISON_EXTENSION,
  authorityKeyIdExtension,
  extendedKeyUsageExtension,
  fulcioClaimExtensions,
  keyIdentifier,
  keyUsageExtension,
  sctListExtension,
  subjectAltNameExtension,
  subjectKeyIdExtension,
} from '#formats/x509/extension-writers'
import { EMPTY_NAME } from '#formats/x509/name'
import { EKU } from '#formats/x509/oids'
import type { Clock } from '#time'
import type { IssuingAuthority } from './authority.js'
import type { CtLogPort } from './ct-log.js'
import { IssuingError } from './errors.js'
import type { Principal } from './principal.js'

export interface IssuerOptions {
  readonly authority: IssuingAuthority
  /** Absent: certificates without SCT, which only verifiers without CT logs accept. */
  readonly ctLog?: CtLogPort | undefined
  readonly clock: Clock
  readonly random: RandomSource
}

/** Makes the DER of a certificate for a principal and a key. */
export type IssueCertificate = (principal: Principal, key: PublicKey) => Promise<Uint8Array>

/** Fulcio's certificates live for ten minutes. */
const LIFETIME = 10 * 60_000

const KEY_USAGE = keyUsageExtension(['digitalSignature'])
const EXTENDED_KEY_USAGE = extendedKeyUsageExtension([EKU.codeSigning])

/**
 * Makes the issuing function. What never changes is encoded here, once; a certificate then costs two signatures and their TBS.
 * The function throws IssuingError ISSUING_CERTIFICATE, ISSUING_CT_LOG, ISSUING_AUTHORITY.
 */
export function createIssuer({ authority, ctLog, clock, random }: IssuerOptions): IssueCertificate {
  const [issuing] = authority.chain
  if (issuing === undefined) throw new IssuingError('ISSUING_AUTHORITY', 'the chain of the authority is empty')
  const algorithm = encodeSignatureAlgorithm(authority.key.algorithm)
  const chain = authority.chain.map(({ der }) => der)
  const authorityKeyId = authorityKeyIdExtension(issuing.subjectKeyId ?? keyIdentifier(issuing.spki))
  const sign = async (fields: CertificateFields, last: readonly Uint8Array[]): Promise<Uint8Array> => {
    const tbs = encodeTbsCertificate({ ...fields, extensions: [...fields.extensions, ...last] }, algorithm)
    return derSequence(tbs, algorithm, derBitString(await authority.key.sign(tbs)))
  }
  return async (principal, key) => {
    const fields: CertificateFields = {
      serialNumber: randomSerialNumber(random),
      issuer: issuing.subject,
      subject: EMPTY_NAME,
      ...validity(clock, authority.chain),
      spki: key.spki,
      extensions: profile(principal, key, authorityKeyId),
    }
    if (ctLog === undefined) return sign(fields, [])
    const precertificate = await sign(fields, [POISON_EXTENSION])
    const sct = await promised(ctLog, [precertificate, ...chain])
    const logged = { tbs: encodeTbsCertificate(fields, algorithm) }
    await checkSct(sct, { logged, issuing, ctLog })
    return sign(fields, [sctListExtension(encodeSctList([sct]))])
  }
}

/** From this second on, for ten minutes, which must lie within the authority's own time (RFC 5280 §6.1.3). */
function validity(clock: Clock, chain: readonly Certificate[]): Pick<CertificateFields, 'notBefore' | 'notAfter'> {
  const now = clock()
  const notBefore = now - (now % 1000)
  const notAfter = notBefore + LIFETIME
  if (chain.some((certificate) => notBefore < certificate.notBefore || notAfter > certificate.notAfter)) {
    throw new IssuingError(
      'ISSUING_AUTHORITY',
      'the certificate of the authority is not valid for as long as the new one would be',
    )
  }
  return { notBefore, notAfter }
}

/** Fulcio's extensions in Fulcio's order (docs/certificate-specification.md); the SAN is critical since the subject is empty. */
function profile(principal: Principal, key: PublicKey, authorityKeyId: Uint8Array): readonly Uint8Array[] {
  try {
    return [
      KEY_USAGE,
      EXTENDED_KEY_USAGE,
      subjectKeyIdExtension(keyIdentifier(key.spki)),
      authorityKeyId,
      subjectAltNameExtension([principal.subjectAltName], { critical: true }),
      ...fulcioClaimExtensions(principal.claims),
    ]
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new IssuingError(
      'ISSUING_CERTIFICATE',
      `the identity cannot be written into a certificate: ${cause.message}`,
      { cause },
    )
  }
}

async function promised(ctLog: CtLogPort, chain: readonly Uint8Array[]): Promise<Uint8Array> {
  try {
    return await ctLog.submitPrecertificate(chain)
  } catch (cause) {
    if (cause instanceof IssuingError) throw cause
    throw new IssuingError('ISSUING_CT_LOG', 'the CT log did not take the precertificate', { cause })
  }
}

interface LoggedCertificate {
  readonly logged: Pick<Certificate, 'tbs'>
  readonly issuing: Certificate
  readonly ctLog: CtLogPort
}

/** A certificate with an SCT that nobody can verify would be refused by everyone, after its key was thrown away. */
async function checkSct(bytes: Uint8Array, { logged, issuing, ctLog }: LoggedCertificate): Promise<void> {
  try {
    const sct = parseSct(bytes)
    if (!equalBytes(sct.logId, ctLog.key.id)) throw new IssuingError('ISSUING_CT_LOG', 'the SCT is of another log')
    await verifySct(sct, precertEntry(logged, issuing.spki), ctLog.key)
  } catch (cause) {
    if (cause instanceof IssuingError || !isCodedError(cause)) throw cause
    throw new IssuingError('ISSUING_CT_LOG', `the SCT of the CT log does not verify: ${cause.message}`, { cause })
  }
}
