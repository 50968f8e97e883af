/** The time-stamping authority (RFC 3161 over HTTP), as sigstore's timestamp-authority serves it. @module */
import type { Signer } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import { buildTimestampResponse } from '#formats/cms/build-timestamp'
import type { TimestampRequest } from '#formats/cms/timestamp'
import { randomSerialNumber } from '#formats/x509/build-certificate'
import type { Certificate } from '#formats/x509/certificate'
import { certificateToPem } from '#formats/x509/parse-certificate'
import { formatRfc3339 } from '#time'
import type { Clock, UnixMillis } from '#time'
import { mediaType, readBody } from '#serving/body'
import { answering, openapiShape } from '#serving/problems'
import { bytes, text } from '#serving/responses'
import type { Route } from '#serving/routes'
import { route } from '#serving/routes'
import { checkTimestampChain } from './chain.js'
import { PROBLEMS, StampingError } from './errors.js'
import { readDerRequest, readJsonRequest } from './stamping-request.js'

export interface TimestampAuthorityOptions {
  readonly key: Signer
  /** Leaf first, root last. */
  readonly chain: readonly Certificate[]
  readonly clock: Clock
  readonly random: RandomSource
  /** The policy of time-stamps whose request names none; also the only one accepted. Sigstore's own by default. */
  readonly policy?: string
  /** Whether the answer to certReq has the whole chain in it, and not the leaf alone. */
  readonly includeChain?: boolean
}

/** Sigstore's policy OID. */
const DEFAULT_POLICY = '1.3.6.1.4.1.57264.2'
const MAX_BODY_BYTES = 1024 * 1024
const ACCURACY_SECONDS = 1
const DAY_SECONDS = 86_400

const READERS: ReadonlyMap<string, (body: Uint8Array) => TimestampRequest> = new Map([
  ['application/timestamp-query', readDerRequest],
  ['application/json', readJsonRequest],
])

/**
 * The routes of an authority. The chain is checked before anything is served.
 * @throws StampingError STAMPING_CHAIN
 */
export async function timestampAuthorityRoutes(options: TimestampAuthorityOptions): Promise<readonly Route[]> {
  await checkTimestampChain(options.key, options.chain)
  const stamp = createStamper(options)
  const chainPem = options.chain.map(certificateToPem).join('')
  const answer = answering(PROBLEMS, openapiShape)
  return [
    route(
      'POST',
      '/api/v1/timestamp',
      answer(async (request: Request) => {
        const body = await readBody(request, { maxBytes: MAX_BODY_BYTES, types: [...READERS.keys()] })
        const read = READERS.get(mediaType(request) ?? '') ?? readDerRequest
        return bytes(200, await stamp(read(body)), 'application/timestamp-reply')
      }),
    ),
    route('GET', '/api/v1/timestamp/certchain', () =>
      Promise.resolve(
        text(200, chainPem, {
          'content-type': 'application/pem-certificate-chain',
          'cache-control': `max-age=${String(DAY_SECONDS)}, immutable`,
        }),
      ),
    ),
  ]
}

/** Makes the function that turns requests into DER responses. */
function createStamper(options: TimestampAuthorityOptions): (request: TimestampRequest) => Promise<Uint8Array> {
  const { key, chain, random, policy = DEFAULT_POLICY } = options
  const [certificate] = chain
  if (certificate === undefined) throw new StampingError('STAMPING_CHAIN', 'the chain is empty')
  const now = forwardClock(options.clock, certificate)
  const embedded = (options.includeChain === true ? chain : [certificate]).map(({ der }) => der)
  return (request) => {
    checkRequest(request, policy)
    const { imprint, nonce } = request
    return buildTimestampResponse(
      {
        policy,
        imprint,
        serialNumber: randomSerialNumber(random),
        genTime: now(),
        accuracySeconds: ACCURACY_SECONDS,
        nonce,
      },
      { key, certificate, embed: request.certificates ? embedded : [] },
    )
  }
}

function checkRequest(request: TimestampRequest, policy: string): void {
  if (request.policy !== undefined && request.policy !== policy) {
    throw new StampingError('STAMPING_POLICY', 'the policy is not supported', {
      expected: policy,
      found: request.policy,
    })
  }
  const [extension] = request.extensions
  if (extension !== undefined)
    throw new StampingError('STAMPING_EXTENSION', 'extensions are not supported', { found: extension })
}

/**
 * A clock that never goes back: whoever holds a time-stamp of this process may rely on it that none of an earlier time is made
 * after it. A step back within the accuracy that every time-stamp states is ridden out; a larger one stops the stamping.
 */
function forwardClock(clock: Clock, certificate: Certificate): Clock {
  let latest: UnixMillis = certificate.notBefore
  return () => {
    const found = clock()
    if (found < latest - ACCURACY_SECONDS * 1000) {
      throw new StampingError('STAMPING_CLOCK', 'the clock of the authority went back', {
        expected: `not before ${formatRfc3339(latest)}`,
        found: formatRfc3339(found),
        hint: 'check the time synchronisation of the server; it stamps again once its clock has caught up',
      })
    }
    const now = Math.max(found, latest)
    if (now > certificate.notAfter) {
      throw new StampingError('STAMPING_CERTIFICATE_EXPIRED', 'the certificate of the authority has expired', {
        expected: `not after ${formatRfc3339(certificate.notAfter)}`,
        found: formatRfc3339(now),
      })
    }
    latest = now
    return now
  }
}
