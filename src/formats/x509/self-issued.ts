/** Certificates that name themselves as their issuer: the anchors, which are trusted for where they come from. @module */
import { equalBytes } from '#encoding/bytes'
import type { Certificate } from './certificate.js'
import { parseCertificate } from './parse-certificate.js'

/** Whether issuer and subject are the same name (RFC 5280 §3.2). */
export function isSelfIssued({ issuer, subject }: Pick<Certificate, 'issuer' | 'subject'>): boolean {
  return equalBytes(issuer.der, subject.der)
}

/**
 * A chain as old layouts carry it, leaf first, without the roots that they carry along: those come from the trusted root.
 * @throws CertificateError if a certificate after the leaf cannot be read
 */
export function withoutRoots([leaf, ...others]: readonly Uint8Array[]): readonly Uint8Array[] {
  return leaf === undefined ? [] : [leaf, ...others.filter((der) => !isSelfIssued(parseCertificate(der)))]
}
