/** Fulcio's v2 API (fulcio.proto through grpc-gateway). @module */
import type { JsonValue } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { encodeUtf8 } from '#encoding/utf8'
import { certificateToPem } from '#formats/x509/parse-certificate'
import { readJson } from '#serving/body'
import { answering } from '#serving/problems'
import { json } from '#serving/responses'
import type { Route } from '#serving/routes'
import { route } from '#serving/routes'
import type { FulcioConfig, IssuerConfig } from './config.js'
import { CHALLENGE_CLAIMS } from './config.js'
import { PROBLEMS, fulcioShape } from './errors.js'
import type { KeyRequest } from './proof-of-possession.js'
import type { CertificateService } from './signing-request.js'
import { MAX_REQUEST_BYTES, bearerToken, signingCertificate } from './signing-request.js'

export function currentRoutes(service: CertificateService): readonly Route[] {
  const answer = answering(PROBLEMS, fulcioShape)
  const trustBundle = { chains: [{ certificates: service.chain.map(certificateToPem) }] }
  const configuration = { issuers: issuerList(service.tokenChecks.config) }
  return [
    route(
      'POST',
      '/api/v2/signingCert',
      answer(async (request: Request) => {
        const body = readRequest(await readJson(request, { maxBytes: MAX_REQUEST_BYTES }))
        const token = body.token === '' ? bearerToken(request) : body.token
        const certificates = await signingCertificate(service, token, body.key)
        const chain = { certificates }
        return json(
          200,
          service.embedsSct
            ? { signedCertificateEmbeddedSct: { chain } }
            : { signedCertificateDetachedSct: { chain, signedCertificateTimestamp: '' } },
        )
      }),
    ),
    route('GET', '/api/v2/trustBundle', () => Promise.resolve(json(200, trustBundle))),
    route('GET', '/api/v2/configuration', () => Promise.resolve(json(200, configuration))),
  ]
}

const IGNORE = 'ignore' as const

/** Unknown fields are skipped, as the gateway does. @throws ProtojsonError */
function readRequest(value: JsonValue): { readonly token: string; readonly key: KeyRequest } {
  const reader = readMessage(value, '', {
    names: ['credentials', 'publicKeyRequest', 'certificateSigningRequest'],
    unknown: IGNORE,
  })
  const token = reader.optionalMessage('credentials', (credentials, path) =>
    readMessage(credentials, path, { names: ['oidcIdentityToken'], unknown: IGNORE }).optionalString(
      'oidcIdentityToken',
    ),
  )
  const which = reader.oneof('publicKeyRequest', 'certificateSigningRequest')
  const csr = which === 'certificateSigningRequest' ? reader.bytes('certificateSigningRequest') : new Uint8Array()
  if (csr.length > 0) return { token: token ?? '', key: { kind: 'csr', content: csr } }
  return { token: token ?? '', key: reader.optionalMessage('publicKeyRequest', readKeyRequest) ?? NO_KEY }
}

const NO_KEY: KeyRequest = { kind: 'public-key', content: new Uint8Array(), proof: new Uint8Array() }

function readKeyRequest(value: JsonValue, path: string): KeyRequest {
  const reader = readMessage(value, path, { names: ['publicKey', 'proofOfPossession'], unknown: IGNORE })
  const content = reader.optionalMessage('publicKey', (key, at) =>
    readMessage(key, at, { names: ['content'], unknown: IGNORE }).optionalString('content'),
  )
  const proof = reader.optionalBytes('proofOfPossession') ?? new Uint8Array()
  return { kind: 'public-key', content: encodeUtf8(content ?? ''), proof }
}

function issuerList(config: FulcioConfig): readonly unknown[] {
  const row = (issuer: IssuerConfig): Record<string, unknown> => ({
    audience: issuer.clientId,
    challengeClaim: issuer.challengeClaim ?? CHALLENGE_CLAIMS[issuer.type],
    spiffeTrustDomain: issuer.spiffeTrustDomain ?? '',
    issuerType: issuer.type,
    subjectDomain: issuer.subjectDomain ?? '',
    skipEmailVerification: issuer.skipEmailVerification ?? false,
  })
  return [
    ...[...config.issuers.values()].map((issuer) => ({ issuerUrl: issuer.issuerUrl, ...row(issuer) })),
    ...[...config.metaIssuers].map(([wildcard, issuer]) => ({ wildcardIssuerUrl: wildcard, ...row(issuer) })),
  ]
}
