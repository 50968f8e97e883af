/** Asking a timestamp authority (RFC 3161 over HTTP), and checking that the answer is for what was asked. @module */
import { digest, type DigestName } from '#crypto/digest'
import type { RandomSource } from '#crypto/random'
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import { encodeTimestampRequest } from '#formats/cms/build-timestamp'
import { grantedToken, parseTimestampResponse } from '#formats/cms/parse-timestamp'
import type { TimestampToken } from '#formats/cms/timestamp'
import { readBytes } from '../http/body.js'
import type { Fetch, FetchResponse } from '../http/fetch.js'
import { readReason } from '../http/reason.js'
import { hostOf, isUnavailable } from '../http/service.js'
import { TsaError } from './tsa-error.js'

/** Where the authority is, and how to get there. */
export interface TsaService {
  readonly fetch: Fetch
  /** The whole address of its endpoint, as signing configurations give it: `https://…/api/v1/timestamp`. */
  readonly url: string
  /** For the nonce. */
  readonly random: RandomSource
}

/** What is to be timestamped. */
export interface TimestampQuery {
  /** The bytes, usually a signature; only their digest leaves this process. */
  readonly data: Uint8Array
  readonly digest?: DigestName
  readonly signal?: AbortSignal
}

const LIMIT = 256 * 1024
const NONCE_BYTES = 8

/**
 * Gets a timestamp. The answer is for exactly this data and this request; who signed it is for the caller to verify.
 * @returns the DER TimeStampResp, as bundles carry it
 * @throws {@link TsaError} TSA_REFUSED, TSA_UNAVAILABLE, TSA_RESPONSE, TSA_MISMATCH
 */
export async function requestTimestamp(service: TsaService, query: TimestampQuery): Promise<Uint8Array> {
  const name = query.digest ?? 'sha256'
  const hash = digest(name, query.data)
  const nonce = positiveNonce(service.random)
  const host = hostOf(service.url)
  const response = await service.fetch(service.url, {
    method: 'POST',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    // The certificates are asked for, so that the token can be verified where only a root is known.
    body: encodeTimestampRequest({ imprint: { digest: name, hash }, policy: undefined, nonce, certificates: true }),
    repeatable: true, // a second timestamp harms nobody
    ...(query.signal !== undefined && { signal: query.signal }),
  })
  // Timestamp-authority answered 201 before its version 2.
  if (response.status !== 200 && response.status !== 201) throw await refusal(response, host)
  const der = await readBytes(response, { limit: LIMIT, what: `the timestamp of ${host}` })
  checkToken(parseToken(der, host), { name, hash, nonce, host })
  return der
}

/** A nonce whose INTEGER has one form only: neither negative nor with leading zeros. */
function positiveNonce(random: RandomSource): Uint8Array {
  const nonce = Uint8Array.from(random(NONCE_BYTES))
  nonce[0] = ((nonce[0] ?? 0) & 0x7f) | 0x40
  return nonce
}

function parseToken(der: Uint8Array, host: string): TimestampToken {
  try {
    return grantedToken(parseTimestampResponse(der))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    const refused = cause.code === 'TIMESTAMP_NOT_GRANTED'
    throw new TsaError(
      refused ? 'TSA_REFUSED' : 'TSA_RESPONSE',
      refused ? `${host} grants no timestamp` : `${host} answered with something that is no timestamp`,
      {
        expected: 'a granted TimeStampResp (RFC 3161)',
        found: cause.found ?? cause.message,
        hint: refused
          ? undefined
          : 'Check that the address is the whole endpoint, such as https://host/api/v1/timestamp.',
        cause,
      },
    )
  }
}

interface Asked {
  readonly name: DigestName
  readonly hash: Uint8Array
  readonly nonce: Uint8Array
  readonly host: string
}

/** RFC 3161 §2.2: the requester compares imprint and nonce, or a replayed answer would pass for a fresh one. */
function checkToken({ info }: TimestampToken, { name, hash, nonce, host }: Asked): void {
  if (info.imprint.digest !== name || !equalBytes(info.imprint.hash, hash)) {
    throw new TsaError('TSA_MISMATCH', `${host} timestamped something else`, {
      expected: `${name}:${encodeHex(hash)}`,
      found: `${info.imprint.digest}:${encodeHex(info.imprint.hash)}`,
    })
  }
  if (info.nonce === undefined || !equalBytes(info.nonce, nonce)) {
    throw new TsaError('TSA_MISMATCH', `${host} sent a timestamp that was not made for this request`, {
      expected: 'the nonce of the request',
      found: info.nonce === undefined ? 'no nonce' : 'another nonce',
      hint: 'Something between here and the authority may replay old answers.',
    })
  }
}

async function refusal(response: FetchResponse, host: string): Promise<TsaError> {
  const found = await readReason(response)
  return isUnavailable(response)
    ? new TsaError('TSA_UNAVAILABLE', `${host} could not give a timestamp`, { found, hint: 'Try again later.' })
    : new TsaError('TSA_REFUSED', `${host} refuses to give a timestamp`, {
        found,
        hint: 'Check that the address is the whole endpoint, such as https://host/api/v1/timestamp.',
      })
}
