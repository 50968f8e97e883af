/** SPIFFE IDs (SPIFFE-ID §2): `spiffe://trust-domain/path`. @module */

const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/
const ID = /^spiffe:\/\/([a-z0-9._-]{1,255})((?:\/[A-Za-z0-9._-]+)*)$/
const MAX_ID_LENGTH = 2048

export function isSpiffeTrustDomain(text: string): boolean {
  return TRUST_DOMAIN.test(text.replace(/^spiffe:\/\//, ''))
}

/** Whether a text is a SPIFFE ID of the given trust domain. */
export function isSpiffeIdOf(text: string, trustDomain: string): boolean {
  if (text.length > MAX_ID_LENGTH) return false
  const [, domain, path] = ID.exec(text) ?? []
  if (domain === undefined || path === undefined) return false
  // SPIFFE-ID §2.2: no relative segments.
  if (path.split('/').some((segment) => segment === '.' || segment === '..')) return false
  return domain === trustDomain.replace(/^spiffe:\/\//, '')
}
