/** The authorities that the machine trusts, where node's own list does not do: how companies install theirs. @module */
import type { Fetch, FetchInit } from './fetch.js'
import { isHttpError } from './http-error.js'
import { hostOf } from './service.js'
import type { TlsFiles } from './tls-options.js'

/** Where distributions keep the bundle; the first that is there counts, as in Go's crypto/x509. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
] as const

/** The machine's bundle, or undefined if there is none. */
export async function systemAuthorities(files: TlsFiles): Promise<string | undefined> {
  for (const path of BUNDLES) {
    try {
      const text = new TextDecoder().decode(await files.readFile(path))
      if (text.includes('-----BEGIN CERTIFICATE-----')) return text
    } catch {
      // Not this distribution.
    }
  }
  return undefined
}

/** What node says of a certificate whose issuer it does not know; an expired or foreign one is not among them. */
const UNKNOWN_ISSUER: ReadonlySet<string | undefined> = new Set([
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
])

/**
 * Asks again with `second` when a host's issuer is not known to `first`, and from then on for that host. Reading the
 * machine's bundle costs some 75 ms, so it is done only when it may help, and once.
 */
export function withSecondOpinion(first: Fetch, makeSecond: () => Promise<Fetch | undefined>): Fetch {
  const settled = new Set<string>()
  let second: Promise<Fetch | undefined> | undefined
  return async (url, init = {}) => {
    const host = hostOf(url)
    if (!settled.has(host)) {
      try {
        return await first(url, init)
      } catch (error) {
        // The handshake failed, so nothing was sent; but of a stream the beginning may be gone.
        if (!isHttpError(error) || !UNKNOWN_ISSUER.has(error.found) || isStream(init)) throw error
        if ((await (second ??= makeSecond())) === undefined) throw error
      }
    }
    const response = await ((await second) ?? first)(url, init)
    settled.add(host)
    return response
  }
}

function isStream({ body }: FetchInit): boolean {
  return body !== undefined && typeof body !== 'string' && !(body instanceof Uint8Array)
}
