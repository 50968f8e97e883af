/** Fulcio's v1 API, which older clients still use (fulcio_legacy.proto). @module */
import type { JsonValue } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { certificateToPem } from '#formats/x509/parse-certificate'
import { readJson } from '#serving/body'
import { answering } from '#serving/problems'
import { text } from '#serving/responses'
import type { Route } from '#serving/routes'
import { route } from '#serving/routes'
import { PROBLEMS, fulcioShape } from './errors.js'
import type { KeyRequest } from './proof-of-possession.js'
import type { CertificateService } from './signing-request.js'
import { MAX_REQUEST_BYTES, bearerToken, signingCertificate } from './signing-request.js'

const PEM_CHAIN = { 'content-type': 'application/pem-certificate-chain' }

export function legacyRoutes(service: CertificateService): readonly Route[] {
  const rootCert = service.chain.map(certificateToPem).join('\n').trimEnd()
  const answer = answering(PROBLEMS, fulcioShape)
  return [
    route(
      'POST',
      '/api/v1/signingCert',
      answer(async (request: Request) => {
        const key = readRequest(await readJson(request, { maxBytes: MAX_REQUEST_BYTES }))
        const certificates = await signingCertificate(service, bearerToken(request), key)
        return text(201, certificates.join('\n'), PEM_CHAIN)
      }),
    ),
    route('GET', '/api/v1/rootCert', () => Promise.resolve(text(200, rootCert, PEM_CHAIN))),
  ]
}

const IGNORE = 'ignore' as const

/** `signedEmailAddress` is the proof of possession, whatever it is over. @throws ProtojsonError */
function readRequest(value: JsonValue): KeyRequest {
  const reader = readMessage(value, '', {
    names: ['publicKey', 'signedEmailAddress', 'certificateSigningRequest'],
    unknown: IGNORE,
  })
  const csr = reader.optionalBytes('certificateSigningRequest') ?? new Uint8Array()
  if (csr.length > 0) return { kind: 'csr', content: csr }
  const content = reader.optionalMessage('publicKey', (key, path) =>
    readMessage(key, path, { names: ['content'], unknown: IGNORE }).optionalBytes('content'),
  )
  const proof = reader.optionalBytes('signedEmailAddress') ?? new Uint8Array()
  return { kind: 'public-key', content: content ?? new Uint8Array(), proof }
}
