/** The CT log as the authority sees it, and one that is reached over HTTP (RFC 6962 §4.2). @module */
import type { PublicKey } from '#crypto/public-key'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { ByteReader } from '#encoding/bytes'
import type { JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import { encodeSct } from '#formats/sct/sct'
import type { SignedCertificateTimestamp } from '#formats/sct/sct'
import { readJson } from '#clients/http/body'
import type { Fetch } from '#clients/http/fetch'
import { readReason } from '#clients/http/reason'
import { IssuingError } from './errors.js'

/** Where precertificates go before anything is issued. */
export interface CtLogPort {
  /** The log's key: an SCT that it did not sign is never put into a certificate. */
  readonly key: PublicKey
  /**
   * Submits a precertificate with its chain, DER, leaf first and root last. Returns the SCT in its TLS form.
   * Rejects if the log does not take it.
   */
  submitPrecertificate(chain: readonly Uint8Array[]): Promise<Uint8Array>
}

const TIMEOUT = 30_000
const LIMIT = 64 * 1024

export interface RemoteCtLog {
  /** For example `https://ct.example/2025`; `/ct/v1/add-pre-chain` is added. */
  readonly url: string
  readonly key: PublicKey
  readonly fetch: Fetch
}

/** A CT log over HTTP. */
export function remoteCtLog({ url, key, fetch }: RemoteCtLog): CtLogPort {
  const endpoint = `${url.replace(/\/+$/, '')}/ct/v1/add-pre-chain`
  return {
    key,
    async submitPrecertificate(chain) {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ chain: chain.map(encodeBase64) }),
        signal: AbortSignal.timeout(TIMEOUT),
        repeatable: true, // a log answers a repeated submission with the SCT it gave before
      })
      if (response.status !== 200) {
        throw refused(`it answered with status ${String(response.status)}`, new Error(await readReason(response)))
      }
      const answer = await readJson(response, { limit: LIMIT, what: 'the answer of the CT log' })
      return encodeSct(readAddChainResponse(answer))
    },
  }
}

/** `{sct_version, id, timestamp, extensions, signature}` (RFC 6962 §4.1). @throws IssuingError ISSUING_CT_LOG */
export function readAddChainResponse(answer: JsonValue): SignedCertificateTimestamp {
  if (!isJsonObject(answer)) throw refused('it answered with something that is no object')
  const { sct_version: version, id, timestamp, extensions, signature } = answer
  if (
    version !== 0 ||
    typeof id !== 'string' ||
    typeof timestamp !== 'number' ||
    typeof signature !== 'string' ||
    typeof extensions !== 'string'
  ) {
    throw refused('its answer is not an SCT of version 1')
  }
  try {
    const signed = new ByteReader(decodeBase64(signature))
    const [hashAlgorithm, signatureAlgorithm] = [signed.u8(), signed.u8()]
    const bytes = signed.vector(2)
    signed.end()
    return {
      logId: decodeBase64(id),
      timestamp,
      extensions: decodeBase64(extensions),
      hashAlgorithm,
      signatureAlgorithm,
      signature: bytes,
    }
  } catch (cause) {
    throw refused('its answer is not an SCT', cause)
  }
}

function refused(message: string, cause?: unknown): IssuingError {
  return new IssuingError('ISSUING_CT_LOG', `the CT log did not take the precertificate: ${message}`, { cause })
}
