/** Signed entities for tests, of every shape: message signatures and DSSE, logged in Rekor v1 or v2, time-stamped. @module */
import type { DigestName } from '#crypto/digest'
import { digest, sha256 } from '#crypto/digest'
import type { PrivateKey } from '#crypto/private-key'
import { encodeUtf8 } from '#encoding/utf8'
import type { DsseEnvelope } from '#formats/dsse/envelope'
import { IN_TOTO_PAYLOAD_TYPE, serializeEnvelope } from '#formats/dsse/envelope'
import { preAuthEncode } from '#formats/dsse/pae'
import { encodeDsseV1, encodeHashedRekordV1, encodeIntotoV2 } from '#formats/rekor-entry/body-v1'
import { encodeDsseV2, encodeHashedRekordV2 } from '#formats/rekor-entry/body-v2'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { EntryVerifier } from '#formats/rekor-entry/model'
import type { KeyMaterial, SignedContent, SignedEntity } from '#formats/signed-entity'
import { encodeHex } from '#encoding/hex'
import type { TestCertificate } from './certificate.js'
import type { TestPki } from './pki.js'
import type { AppendOptions, TestRekor } from './rekor.js'
import type { StampOptions } from './tsa.js'

/** The kinds of entry that a log of either version is given. `v1-dsse` and the like need DSSE content. */
export type EntryShape = 'v1-hashedrekord' | 'v1-dsse' | 'v1-intoto' | 'v2-hashedrekord' | 'v2-dsse'

export interface LogRequest extends AppendOptions {
  readonly shape: EntryShape
  /** A log other than the PKI's. */
  readonly log?: TestRekor
  /** Named in the entry instead of the signer. */
  readonly verifier?: EntryVerifier
  /** Changes the body before it is logged. */
  readonly rewriteBody?: (body: Uint8Array) => Uint8Array
}

export interface SignRequest {
  readonly artifact?: Uint8Array
  /** Signs with this certificate; default: a new, logged leaf. `{ key }`: a managed key and no certificate. */
  readonly signer?: TestCertificate | { readonly key: PrivateKey }
  /** Default: one entry of the simplest shape in Rekor v1. */
  readonly logs?: readonly LogRequest[]
  /** Default: none. */
  readonly timestamps?: readonly StampOptions[]
  /** The digest of the artifact in the entry and in the statement's subject. */
  readonly digest?: DigestName
}

export interface StatementRequest extends SignRequest {
  /** Takes the place of a statement about the artifact. */
  readonly statement?: unknown
  readonly payloadType?: string
  readonly keyId?: string
}

export interface SignedArtifact {
  readonly entity: SignedEntity
  readonly artifact: Uint8Array
  readonly signer: TestCertificate | { readonly key: PrivateKey }
}

const ARTIFACT = encodeUtf8('an artifact\n')

/** A message signature over the artifact. */
export async function signMessage(pki: TestPki, request: SignRequest = {}): Promise<SignedArtifact> {
  const { artifact = ARTIFACT } = request
  const signer = request.signer ?? (await pki.issueLeaf())
  const signature = await signer.key.sign(artifact)
  const digestAlgorithm = request.digest ?? signer.key.algorithm.digest ?? 'sha256'
  const content: SignedContent = {
    kind: 'message-signature',
    signature,
    digestAlgorithm,
    digest: digest(digestAlgorithm, artifact),
  }
  return assemble({ pki, request, signer, artifact, content, signature, logged: artifact })
}

/** An in-toto statement about the artifact in a DSSE envelope. */
export async function signStatement(pki: TestPki, request: StatementRequest = {}): Promise<SignedArtifact> {
  const { artifact = ARTIFACT, payloadType = IN_TOTO_PAYLOAD_TYPE, keyId = '' } = request
  const signer = request.signer ?? (await pki.issueLeaf())
  const statement = request.statement ?? statementAbout(artifact, request.digest ?? 'sha256')
  const payload = encodeUtf8(JSON.stringify(statement))
  const signature = await signer.key.sign(preAuthEncode(payloadType, payload))
  const envelope: DsseEnvelope = { payloadType, payload, signatures: [{ keyId, signature }] }
  const logged = preAuthEncode(payloadType, payload)
  return assemble({ pki, request, signer, artifact, content: { kind: 'dsse', envelope }, signature, logged })
}

/** A statement of in-toto v1 with the artifact as its only subject. */
export function statementAbout(artifact: Uint8Array, name: DigestName): unknown {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'artifact', digest: { [name]: encodeHex(digest(name, artifact)) } }],
    predicateType: 'https://test.example/predicate/v1',
    predicate: { ok: true },
  }
}

interface Parts {
  readonly pki: TestPki
  readonly request: SignRequest
  readonly signer: TestCertificate | { readonly key: PrivateKey }
  readonly artifact: Uint8Array
  readonly content: SignedContent
  readonly signature: Uint8Array
  /** What a hashedrekord entry is about: the artifact, or the pre-authentication encoding. */
  readonly logged: Uint8Array
}

async function assemble(parts: Parts): Promise<SignedArtifact> {
  const { pki, request, signer, artifact, content, signature } = parts
  const logEntries: LogEntry[] = []
  for (const log of request.logs ?? [{ shape: 'v1-hashedrekord' as const }])
    logEntries.push(await appendEntry(parts, log))
  const timestamps = await Promise.all((request.timestamps ?? []).map((stamp) => pki.tsa.stamp(signature, stamp)))
  const key: KeyMaterial =
    'certificate' in signer
      ? { kind: 'certificates', chain: [signer.certificate.der] }
      : { kind: 'public-key', hint: encodeHex(signer.key.publicKey.id) }
  return { entity: { content, key, logEntries, timestamps }, artifact, signer }
}

async function appendEntry(parts: Parts, log: LogRequest): Promise<LogEntry> {
  const rekor = log.log ?? (log.shape.startsWith('v1') ? parts.pki.rekorV1 : parts.pki.rekorV2)
  const body = entryBody(parts, log)
  return rekor.append(log.rewriteBody?.(body) ?? body, log)
}

function entryBody(parts: Parts, log: LogRequest): Uint8Array {
  const { signer, signature, content, logged } = parts
  const algorithm = signer.key.algorithm
  const verifier = log.verifier ?? verifierOf(signer)
  // Rekor hashes with what the key is used with; an Ed25519 signature over a message is logged by the message's SHA-256.
  const hash = parts.request.digest ?? algorithm.digest ?? 'sha256'
  const logDigest = { algorithm: hash, value: digest(hash, logged) }
  if (log.shape === 'v1-hashedrekord')
    return encodeHashedRekordV1({ digest: logDigest, signature: { signature, verifier } })
  if (log.shape === 'v2-hashedrekord')
    return encodeHashedRekordV2({ digest: logDigest, signature, verifier, algorithm })
  if (content.kind !== 'dsse') throw new TypeError(`an entry of the shape ${log.shape} needs DSSE content`)
  const { envelope } = content
  const payloadHash = { algorithm: 'sha256' as const, value: sha256(envelope.payload) }
  const envelopeHash = { algorithm: 'sha256' as const, value: sha256(serializeEnvelope(envelope)) }
  switch (log.shape) {
    case 'v1-dsse':
      return encodeDsseV1({ envelopeHash, payloadHash, signatures: [{ signature, verifier }] })
    case 'v1-intoto':
      return encodeIntotoV2({
        payloadType: envelope.payloadType,
        hash: envelopeHash,
        payloadHash,
        signatures: [{ signature, verifier, keyId: envelope.signatures[0]?.keyId ?? '' }],
      })
    case 'v2-dsse':
      return encodeDsseV2({ payloadHash, signatures: [{ signature, verifier, algorithm }] })
  }
}

function verifierOf(signer: Parts['signer']): EntryVerifier {
  if ('certificate' in signer) return { kind: 'certificate', certificate: signer.certificate.der, chain: [] }
  return { kind: 'public-key', spki: signer.key.publicKey.spki }
}
