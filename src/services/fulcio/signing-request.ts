/** What both API versions do with a request for a certificate. @module */
import type { Certificate } from '#formats/x509/certificate'
import { certificateToPem } from '#formats/x509/parse-certificate'
import type { TokenChecks } from './identity-token.js'
import { verifyIdentityToken } from './identity-token.js'
import type { IssueCertificate } from './issue.js'
import { principalOf } from './principal.js'
import type { KeyRequest } from './proof-of-possession.js'
import { provenKey } from './proof-of-possession.js'

/** What the routes share. */
export interface CertificateService {
  readonly tokenChecks: TokenChecks
  readonly issue: IssueCertificate
  readonly chain: readonly Certificate[]
  readonly embedsSct: boolean
}

/** Fulcio accepts up to 4 MiB; a token, a key and a signature together have less than 100 kB. */
export const MAX_REQUEST_BYTES: number = 256 * 1024

/**
 * Identity first, then possession, then the certificate; as PEM without trailing newlines, leaf first.
 * @throws IssuingError
 */
export async function signingCertificate(
  service: CertificateService,
  token: string,
  request: KeyRequest,
): Promise<readonly string[]> {
  const verified = await verifyIdentityToken(token, service.tokenChecks)
  const principal = principalOf(verified, service.tokenChecks.config)
  const key = await provenKey(request, principal.name)
  const der = await service.issue(principal, key)
  return [{ der }, ...service.chain].map((certificate) => certificateToPem(certificate).trimEnd())
}

/** The token of an `Authorization: Bearer …` header, or the empty text. */
export function bearerToken(request: Request): string {
  return /^Bearer +([^\s]+)$/i.exec(request.headers.get('authorization') ?? '')?.[1] ?? ''
}
