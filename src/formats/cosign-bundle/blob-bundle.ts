/** The bundle that `sign-blob --bundle` wrote before cosign 3. @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { stringifyLikeGo } from '#encoding/go-json'
import type { JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import { encodePem, parsePem } from '#encoding/pem'
import { readMessage } from '#encoding/protojson'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { envelopeFromJson, envelopeToJson } from '../dsse/envelope.js'
import type { KeyMaterial, SignedContent, SignedEntity } from '../signed-entity.js'
import { CosignBundleError } from './cosign-bundle-error.js'
import { rekorBundleFromJson, rekorBundleToJson } from './rekor-bundle.js'
import { withoutRoots } from '../x509/self-issued.js'

/** An old bundle as a signed entity, and the key that stood in it where there was no certificate. */
export interface BlobBundle extends SignedEntity {
  /** SubjectPublicKeyInfo DER from the bundle. Untrusted: only good to compare with the key one knows. */
  readonly publicKey?: Uint8Array | undefined
}

const FIELDS = ['base64Signature', 'cert', 'rekorBundle'] as const

/** Whether a JSON value looks like an old bundle; of a new one it has no field. */
export function isBlobBundle(value: JsonValue): boolean {
  return typeof value === 'object' && value !== null && 'base64Signature' in value
}

/**
 * Reads an old bundle. Its signature is one over a blob or, from `attest-blob`, a whole DSSE envelope in base64.
 * @throws CosignBundleError
 */
export function parseBlobBundle(source: string | Uint8Array): BlobBundle {
  try {
    const reader = readMessage(parseJson(source), '', { names: FIELDS, unknown: 'ignore' })
    const { key, publicKey } = readCertificate(reader.optionalString('cert') ?? '')
    const entry = reader.optionalMessage('rekorBundle', rekorBundleFromJson)
    return {
      content: signedContent(decodeBase64(reader.string('base64Signature'))),
      key,
      logEntries: entry === undefined ? [] : [entry],
      timestamps: [],
      publicKey,
    }
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof CosignBundleError) throw cause
    const { expected, found } = cause
    throw new CosignBundleError('COSIGN_BUNDLE_MALFORMED', `not an old bundle of cosign: ${cause.message}`, {
      expected,
      found,
      cause,
    })
  }
}

/** Writes an old bundle: of several log entries the first that has a promise, of a chain the leaf. */
export function serializeBlobBundle(entity: BlobBundle): string {
  const { content, key, publicKey } = entity
  const signature =
    content.kind === 'dsse' ? encodeUtf8(JSON.stringify(envelopeToJson(content.envelope))) : content.signature
  const rekorBundle = entity.logEntries.map((entry) => rekorBundleToJson(entry)).find((bundle) => bundle !== undefined)
  const leaf = key.kind === 'certificates' ? key.chain[0] : undefined
  const pem =
    leaf !== undefined
      ? encodePem('CERTIFICATE', leaf)
      : publicKey !== undefined
        ? encodePem('PUBLIC KEY', publicKey)
        : undefined
  return stringifyLikeGo({
    base64Signature: encodeBase64(signature),
    ...(pem === undefined ? {} : { cert: encodeBase64(encodeUtf8(pem)) }),
    ...(rekorBundle === undefined ? {} : { rekorBundle }),
  })
}

/**
 * What old clients keep as "the signature": the signature itself, or the whole DSSE envelope that has it inside.
 * @throws CosignBundleError if there is nothing
 */
export function signedContent(bytes: Uint8Array): SignedContent {
  if (bytes.length === 0) throw new CosignBundleError('COSIGN_BUNDLE_MALFORMED', 'the signature is empty')
  if (bytes[0] !== 0x7b) return { kind: 'message-signature', signature: bytes }
  try {
    return { kind: 'dsse', envelope: { ...envelopeFromJson(parseJson(bytes)), source: bytes } }
  } catch (error) {
    // A raw signature (Ed25519, RSA) may begin with any byte.
    if (!isCodedError(error)) throw error
    return { kind: 'message-signature', signature: bytes }
  }
}

/** `cert` is base64 of PEM of a certificate (with its chain) or a public key; once it was base64 of DER. */
function readCertificate(text: string): { readonly key: KeyMaterial; readonly publicKey?: Uint8Array } {
  if (text === '') return { key: { kind: 'public-key', hint: '' } }
  const bytes = decodeBase64(text)
  if (bytes[0] === 0x30) return { key: { kind: 'certificates', chain: [bytes] } }
  const blocks = parsePem(decodeUtf8(bytes))
  const [first] = blocks
  if (first?.label === 'PUBLIC KEY' && blocks.length === 1) {
    return { key: { kind: 'public-key', hint: '' }, publicKey: first.bytes }
  }
  if (blocks.every((block) => block.label === 'CERTIFICATE')) {
    return { key: { kind: 'certificates', chain: withoutRoots(blocks.map((block) => block.bytes)) } }
  }
  throw new CosignBundleError('COSIGN_BUNDLE_CERTIFICATE', 'the bundle holds neither a certificate nor a public key', {
    expected: 'PEM of a certificate or of a public key',
    found: blocks
      .map((block) => block.label)
      .join(', ')
      .slice(0, 100),
  })
}
