/**
 * What a certificate says about its holder, as one value to match and to print.
 *
 * @module
 */
import { encodeHex } from '#encoding/hex'
import type { Certificate } from '#formats/x509/certificate'
import { fulcioIssuer } from '#formats/x509/fulcio-extensions'
import type { FulcioExtensions } from '#formats/x509/fulcio-extensions'
import type { GeneralName } from '#formats/x509/general-name'
import { FULCIO_USERNAME } from '#formats/x509/oids'
import { VerificationError } from '../errors.js'

/** The kinds of names that can stand for a signer. */
export type SubjectKind = 'email' | 'uri' | 'username' | 'dns' | 'ip'

/** One name of the holder. */
export interface IdentitySubject {
  readonly kind: SubjectKind
  readonly value: string
}

/** The holder of a certificate. */
export interface CertificateIdentity {
  /** Every subject alternative name that can stand for a signer, in the certificate's order; Fulcio writes exactly one. */
  readonly subjects: readonly IdentitySubject[]
  /** The OpenID Connect issuer (…57264.1.8, else .1); absent in certificates that are not Fulcio's. */
  readonly issuer: string | undefined
  readonly claims: FulcioExtensions
}

/**
 * Reads the holder from a certificate.
 * @throws VerificationError `VERIFY_CERTIFICATE` if the two issuer extensions contradict each other.
 */
export function certificateIdentity(certificate: Certificate): CertificateIdentity {
  const { issuer, issuerV1 } = certificate.fulcio
  // A verifier that reads .1 and one that reads .8 must come to the same answer, or one of them can be deceived.
  if (issuer !== undefined && issuerV1 !== undefined && issuer !== issuerV1) {
    throw new VerificationError('VERIFY_CERTIFICATE', 'the certificate names two different issuers', {
      expected: `the same text in 1.3.6.1.4.1.57264.1.1 and .8`,
      found: `${JSON.stringify(issuerV1)} and ${JSON.stringify(issuer)}`,
    })
  }
  return {
    subjects: (certificate.subjectAltNames ?? []).flatMap(readSubject),
    issuer: fulcioIssuer(certificate.fulcio),
    claims: certificate.fulcio,
  }
}

function readSubject(name: GeneralName): IdentitySubject[] {
  if (name.kind === 'email' || name.kind === 'uri' || name.kind === 'dns')
    return [{ kind: name.kind, value: name.value }]
  if (name.kind === 'ip') return [{ kind: 'ip', value: formatAddress(name.value) }]
  if (name.kind === 'other' && name.oid === FULCIO_USERNAME && name.text !== undefined) {
    return [{ kind: 'username', value: name.text }]
  }
  return []
}

function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join('.')
  return encodeHex(address).replace(/(.{4})(?=.)/g, '$1:')
}
