/** Fulcio's v2 API: an identity token and a proof of possession in, a certificate chain out. @module */
import type { KeyType } from '#crypto/algorithms'
import { publicKeyToPem, type PublicKey } from '#crypto/public-key'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { parsePem } from '#encoding/pem'
import { readMessage } from '#encoding/protojson'
import { isCodedError } from '#errors'
import { readJson } from '../http/body.js'
import type { Fetch, FetchResponse } from '../http/fetch.js'
import { readReason } from '../http/reason.js'
import { endpoint, hostOf, isUnavailable } from '../http/service.js'
import { FulcioError } from './fulcio-error.js'

/** Where Fulcio is, and how to get there. */
export interface FulcioService {
  readonly fetch: Fetch
  /** Such as `https://fulcio.sigstore.dev`. */
  readonly baseUrl: string
}

/** What a certificate is asked for with. */
export interface CertificateRequest {
  /** A secret: whoever holds it can be this identity until it expires. */
  readonly identityToken: string
  readonly publicKey: PublicKey
  /** The signature over the token's subject (its e-mail address, or its `sub`), made with that key. */
  readonly proofOfPossession: Uint8Array
  readonly signal?: AbortSignal
}

/** What Fulcio answered. Nothing of it is verified yet. */
export interface IssuedCertificate {
  /** DER, the leaf first and the root, if sent, last. */
  readonly chain: readonly [Uint8Array, ...Uint8Array[]]
  /** Fulcio's JSON of a signed certificate timestamp that is not in the certificate. */
  readonly detachedSct?: Uint8Array | undefined
}

const LIMIT = 1024 * 1024

// Fulcio goes by the key itself and only wants a name that its enum has (fulcio.proto, PublicKeyAlgorithm).
const UNSPECIFIED = 'PUBLIC_KEY_ALGORITHM_UNSPECIFIED'
const KEY_ALGORITHMS: ReadonlyMap<KeyType, string> = new Map<KeyType, string>([
  ['ec-p256', 'ECDSA'],
  ['ec-p384', 'ECDSA'],
  ['ec-p521', 'ECDSA'],
  ['ed25519', 'ED25519'],
])

/**
 * Asks for a certificate (fulcio.proto, CreateSigningCertificate).
 * @throws {@link FulcioError} FULCIO_IDENTITY_REFUSED, FULCIO_REQUEST_REFUSED, FULCIO_UNAVAILABLE, FULCIO_RESPONSE
 */
export async function requestCertificate(
  { fetch, baseUrl }: FulcioService,
  { identityToken, publicKey, proofOfPossession, signal }: CertificateRequest,
): Promise<IssuedCertificate> {
  const url = endpoint(baseUrl, '/api/v2/signingCert')
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify({
      credentials: { oidcIdentityToken: identityToken },
      publicKeyRequest: {
        publicKey: {
          algorithm: KEY_ALGORITHMS.get(publicKey.keyType) ?? UNSPECIFIED,
          content: publicKeyToPem(publicKey),
        },
        proofOfPossession: encodeBase64(proofOfPossession),
      },
    }),
    // Asking twice gives two certificates for one key, of which the second is used: no harm.
    repeatable: true,
    ...(signal !== undefined && { signal }),
  })
  if (response.status !== 200 && response.status !== 201) throw await refusal(response, url)
  const what = `the answer of ${hostOf(url)}`
  const answer = await readJson(response, { limit: LIMIT, what })
  return parsing(url, () => readIssued(answer))
}

/** Certificate chains as Fulcio publishes them, each from the intermediate to the root, in DER. */
export async function fetchTrustBundle({ fetch, baseUrl }: FulcioService): Promise<readonly (readonly Uint8Array[])[]> {
  const url = endpoint(baseUrl, '/api/v2/trustBundle')
  const response = await fetch(url, { headers: { accept: 'application/json' } })
  if (response.status !== 200) throw await refusal(response, url)
  const answer = await readJson(response, { limit: LIMIT, what: `the answer of ${hostOf(url)}` })
  return parsing(url, () =>
    readMessage(answer, '', { names: ['chains'], unknown: 'ignore' }).list('chains', (chain, path) =>
      readCertificates(chain, path),
    ),
  )
}

function readIssued(answer: Parameters<typeof readMessage>[0]): IssuedCertificate {
  const message = readMessage(answer, '', {
    names: ['signedCertificateEmbeddedSct', 'signedCertificateDetachedSct'],
    unknown: 'ignore',
  })
  const kind = message.oneof('signedCertificateEmbeddedSct', 'signedCertificateDetachedSct')
  if (kind === undefined)
    throw message.error('PROTOJSON_MISSING', 'signedCertificateEmbeddedSct', { expected: 'a certificate' })
  return message.message(kind, (value, path) => {
    const signed = readMessage(value, path, { names: ['chain', 'signedCertificateTimestamp'], unknown: 'ignore' })
    const chain = signed.message('chain', readCertificates)
    const sct = signed.optionalString('signedCertificateTimestamp')
    return { chain, ...(sct !== undefined && sct !== '' && { detachedSct: decodeBase64(sct) }) }
  })
}

function readCertificates(value: Parameters<typeof readMessage>[0], path: string): [Uint8Array, ...Uint8Array[]] {
  const reader = readMessage(value, path, { names: ['certificates'], unknown: 'ignore' })
  const [leaf, ...rest] = reader.list('certificates', (text, at) => readCertificate(text, at))
  if (leaf === undefined)
    throw reader.error('PROTOJSON_MISSING', 'certificates', { expected: 'at least one certificate' })
  return [leaf, ...rest]
}

function readCertificate(text: unknown, path: string): Uint8Array {
  const blocks = typeof text === 'string' ? parsePem(text) : []
  const [block] = blocks
  if (blocks.length === 1 && block?.label === 'CERTIFICATE') return block.bytes
  throw new FulcioError('FULCIO_RESPONSE', `${path} is not one PEM certificate`, { expected: 'one CERTIFICATE block' })
}

function parsing<T>(url: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof FulcioError) throw cause
    throw new FulcioError('FULCIO_RESPONSE', `${hostOf(url)} answered with something that is not a certificate`, {
      expected: 'Fulcio’s v2 answer with a certificate chain',
      found: cause.message,
      hint: 'Check that the address is that of a Fulcio.',
      cause,
    })
  }
}

/** Fulcio says 400 to everything it does not like, also to the token (servers: pkg/server/error.go). */
async function refusal(response: FetchResponse, url: string): Promise<FulcioError> {
  const found = await readReason(response)
  const host = hostOf(url)
  if (isUnavailable(response)) {
    return new FulcioError('FULCIO_UNAVAILABLE', `${host} could not issue a certificate`, {
      found,
      hint: 'Try again later; the reason above is the service’s own.',
    })
  }
  if (/identity token|issuer|audience|email|verify credentials/i.test(found) || response.status === 401) {
    return new FulcioError('FULCIO_IDENTITY_REFUSED', `${host} does not accept the identity token`, {
      expected: 'a token that has not expired, for the audience sigstore, from an issuer that this Fulcio knows',
      found,
      hint: 'Get a fresh token; check its issuer (iss), audience (aud) and expiry (exp) against this Fulcio’s configuration.',
    })
  }
  return new FulcioError('FULCIO_REQUEST_REFUSED', `${host} refuses to issue a certificate`, {
    found,
    hint: 'Check that the address is that of a Fulcio and that it accepts this key algorithm.',
  })
}
