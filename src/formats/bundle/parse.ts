/** Reading Sigstore bundles of every version into the one signed entity. @module */
import type { JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import type { ProtoReader } from '#encoding/protojson'
import { readMessage } from '#encoding/protojson'
import { isCodedError } from '#errors'
import type { DsseSignature } from '../dsse/envelope.js'
import { HASH_ALGORITHMS, digestNameFromProto } from '../hash-algorithm.js'
import { entryDigest } from '../rekor-entry/entry-digest.js'
import { parseTransparencyLogEntry } from '../rekor-entry/log-entry-proto.js'
import type { KeyMaterial, SignedContent, SignedEntity } from '../signed-entity.js'
import { BundleError } from './bundle-error.js'
import type { BundleVersion } from './media-type.js'
import { bundleVersion } from './media-type.js'
import { checkVersionRules } from './version-rules.js'

/** A bundle that was read; the media type is for display, nothing inward depends on it. */
export interface ParsedBundle extends SignedEntity {
  readonly mediaType: string
  readonly version: BundleVersion
}

/** What a reader may let pass. */
export interface BundleOptions {
  /** Take a certificate chain in a 0.3 bundle, which the specification forbids (cosign's `--allow-certificate-chain`). */
  readonly allowCertificateChain?: boolean | undefined
}

// The bounds are those of the reference client; they keep a bundle from buying signature checks by the thousand.
const MAX_LOG_ENTRIES = 32
const MAX_TIMESTAMPS = 32
const MAX_CERTIFICATES = 32
/** Inclusion proofs of 32 entries have some thousand; what is large in a bundle is one text. */
const JSON_LIMITS = { values: 100_000 }

/**
 * Reads a bundle. As in the reference client, unknown fields are refused, fields may be in snake_case, and base64 may be of
 * either alphabet with or without padding. Nothing is verified.
 * @throws BundleError
 */
export function parseBundle(source: string | Uint8Array, options: BundleOptions = {}): ParsedBundle {
  try {
    return readBundle(parseJson(source, JSON_LIMITS), options)
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof BundleError) throw cause
    const { expected, found } = cause
    throw new BundleError('BUNDLE_MALFORMED', `not a well-formed bundle: ${cause.message}`, { expected, found, cause })
  }
}

/** The same from JSON that was parsed already, for documents that hold a bundle. @throws BundleError, ProtojsonError */
function readBundle(value: JsonValue, options: BundleOptions): ParsedBundle {
  const reader = readMessage(value, '', {
    names: ['mediaType', 'verificationMaterial', 'messageSignature', 'dsseEnvelope'],
  })
  const mediaType = reader.string('mediaType')
  const version = bundleVersion(mediaType)
  if (version === undefined) {
    throw new BundleError('BUNDLE_MEDIA_TYPE', 'not a bundle of a known version', {
      expected: 'application/vnd.dev.sigstore.bundle of version 0.1, 0.2 or 0.3',
      found: mediaType.slice(0, 100),
    })
  }
  const content = readContent(reader)
  const material = reader.message('verificationMaterial', readMaterial)
  const bundle: ParsedBundle = { mediaType, version, content, ...material.entity }
  checkVersionRules(bundle, { chainField: material.chainField && options.allowCertificateChain !== true })
  return bundle
}

function readContent(reader: ProtoReader): SignedContent {
  const kind = reader.oneof('messageSignature', 'dsseEnvelope')
  if (kind === undefined) {
    throw new BundleError('BUNDLE_CONTENT', 'the bundle holds no signature', {
      expected: 'messageSignature or dsseEnvelope',
    })
  }
  return kind === 'messageSignature' ? reader.message(kind, readMessageSignature) : reader.message(kind, readEnvelope)
}

function readMessageSignature(value: JsonValue, path: string): SignedContent {
  const reader = readMessage(value, path, { names: ['messageDigest', 'signature'] })
  const digest = reader.optionalMessage('messageDigest', (inner, at) => {
    const fields = readMessage(inner, at, { names: ['algorithm', 'digest'] })
    const algorithm = fields.optionalEnum('algorithm', HASH_ALGORITHMS)
    return entryDigest(algorithm && (digestNameFromProto(algorithm) ?? algorithm), fields.bytes('digest'))
  })
  const signature = nonEmpty(reader.bytes('signature'))
  return { kind: 'message-signature', signature, digestAlgorithm: digest?.algorithm, digest: digest?.value }
}

function readEnvelope(value: JsonValue, path: string): SignedContent {
  const reader = readMessage(value, path, { names: ['payload', 'payloadType', 'signatures'] })
  const signatures = reader.list('signatures', (signature, at): DsseSignature => {
    const fields = readMessage(signature, at, { names: ['sig', 'keyid'] })
    return { keyId: fields.optionalString('keyid') ?? '', signature: nonEmpty(fields.bytes('sig')) }
  })
  if (signatures.length !== 1) {
    // One certificate, one log entry: a second signature could not be verified from this bundle.
    throw new BundleError('BUNDLE_CONTENT', 'the envelope of a bundle has exactly one signature', {
      expected: '1 signature',
      found: `${String(signatures.length)} signatures`,
    })
  }
  const envelope = { payloadType: reader.string('payloadType'), payload: reader.bytes('payload'), signatures }
  return { kind: 'dsse', envelope }
}

function nonEmpty(signature: Uint8Array): Uint8Array {
  if (signature.length > 0) return signature
  throw new BundleError('BUNDLE_CONTENT', 'the signature of the bundle is empty', { expected: 'a signature' })
}

const MATERIAL_FIELDS = [
  'publicKey',
  'x509CertificateChain',
  'certificate',
  'tlogEntries',
  'timestampVerificationData',
] as const

interface Material {
  readonly entity: Pick<SignedEntity, 'key' | 'logEntries' | 'timestamps'>
  /** Whether the certificates came in the field that version 0.3 gave up. */
  readonly chainField: boolean
}

function readMaterial(value: JsonValue, path: string): Material {
  const reader = readMessage(value, path, { names: MATERIAL_FIELDS })
  const logEntries = reader.list('tlogEntries', parseTransparencyLogEntry)
  atMost(MAX_LOG_ENTRIES, logEntries.length, 'log entries')
  const timestamps = reader.optionalMessage('timestampVerificationData', readTimestamps) ?? []
  atMost(MAX_TIMESTAMPS, timestamps.length, 'timestamps')
  return { entity: { key: readKey(reader), logEntries, timestamps }, chainField: reader.has('x509CertificateChain') }
}

function readKey(reader: ProtoReader): KeyMaterial {
  const kind = reader.oneof('publicKey', 'x509CertificateChain', 'certificate')
  switch (kind) {
    case 'publicKey': {
      const hint = reader.message(kind, (key, at) => readMessage(key, at, { names: ['hint'] }).optionalString('hint'))
      return { kind: 'public-key', hint: hint ?? '' }
    }
    case 'certificate':
      return { kind: 'certificates', chain: [reader.message(kind, readRawBytes)] }
    case 'x509CertificateChain': {
      const chain = reader.message(kind, (inner, at) =>
        readMessage(inner, at, { names: ['certificates'] }).list('certificates', readRawBytes),
      )
      atMost(MAX_CERTIFICATES, chain.length, 'certificates')
      if (chain.length > 0) return { kind: 'certificates', chain }
      throw keyMaterial('an empty certificate chain')
    }
    case undefined:
      throw keyMaterial('none')
  }
}

function readTimestamps(value: JsonValue, path: string): readonly Uint8Array[] {
  return readMessage(value, path, { names: ['rfc3161Timestamps'] }).list('rfc3161Timestamps', (timestamp, at) =>
    readMessage(timestamp, at, { names: ['signedTimestamp'] }).bytes('signedTimestamp'),
  )
}

function readRawBytes(value: JsonValue, path: string): Uint8Array {
  const bytes = readMessage(value, path, { names: ['rawBytes'] }).bytes('rawBytes')
  if (bytes.length > 0) return bytes
  throw keyMaterial('an empty certificate')
}

function keyMaterial(found: string): BundleError {
  return new BundleError('BUNDLE_KEY_MATERIAL', 'the bundle does not say with what key it was signed', {
    expected: 'certificate, x509CertificateChain or publicKey',
    found,
  })
}

function atMost(limit: number, count: number, what: string): void {
  if (count <= limit) return
  throw new BundleError('BUNDLE_TOO_MANY', `the bundle has too many ${what}`, {
    expected: `at most ${String(limit)}`,
    found: String(count),
  })
}
