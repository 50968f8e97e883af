/**
 * One text for one content, of attestors and of what is trusted: two that differ in anything that verification looks at never
 * have the same. The tables below name every field; one that is added later and not named here does not compile.
 *
 * @module
 */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import type { JsonValue } from '#encoding/json'
import type { TrustedAuthority, TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import type {
  Attestor,
  Evidence,
  IdentityMatch,
  KeySource,
  KnownKey,
  Signer,
  SignatureSource,
  TextMatch,
} from '../internal/attestor.js'

/** Writes every field of a type. */
type Writers<T> = { readonly [Name in keyof T]-?: (value: T[Name]) => JsonValue }

const attestors = new WeakMap<Attestor, string>()
const parts = new WeakMap<readonly unknown[], string>()

/** Of everything that an attestor demands. Its name, and where its trust comes from, do not matter: what is trusted has its own. */
export function attestorId(attestor: Attestor): string {
  const known = attestors.get(attestor)
  if (known !== undefined) return known
  const id = hashOf(write(ATTESTOR, attestor))
  attestors.set(attestor, id)
  return id
}

/** Of everything that is believed. */
export function trustId(trust: TrustedRoot): string {
  return [
    partId(trust.certificateAuthorities, (each) => write(AUTHORITY, each)),
    partId(trust.timestampAuthorities, (each) => write(AUTHORITY, each)),
    partId(trust.tlogs, (each) => write(LOG, each)),
    partId(trust.ctlogs, (each) => write(LOG, each)),
  ].join('.')
}

/** Of a key that is kept elsewhere than in the attestor. */
export function keyId(known: KnownKey | undefined): string {
  if (known === undefined) return ''
  const { key, algorithm } = known
  const id = encodeHex(key.id)
  return algorithm === undefined ? id : `${id} ${algorithm.name} ${algorithm.digest ?? ''}`
}

/** Parts of trusted roots stay the same list for as long as the root is in use. */
function partId<T extends object>(values: readonly T[], writer: (value: T) => JsonValue): string {
  const known = parts.get(values)
  if (known !== undefined) return known
  const id = hashOf(values.map(writer))
  parts.set(values, id)
  return id
}

const nothing = (): JsonValue => null
const itself = (value: string | number | undefined): JsonValue => value ?? null
const hex = (value: Uint8Array | undefined): JsonValue => (value === undefined ? null : encodeHex(value))
const certificates = (chain: readonly Certificate[]): JsonValue => chain.map(({ der }) => encodeHex(der))

const EVIDENCE: Writers<Evidence> = { tlog: itself, timestamp: itself, sct: itself, unwitnessed: itself }

const SOURCE: Writers<SignatureSource> = {
  repository: itself,
  tagPrefix: itself,
  format: itself,
  pullSecrets: (secrets) => secrets.map(({ namespace = null, name }) => [namespace, name]),
}

const IDENTITY: Writers<IdentityMatch> = {
  issuer: (matches) => matches.map(writeMatch),
  subject: (matches) => matches.map(writeMatch),
  claims: (claims) => [...claims].map(([name, match]) => [name, writeMatch(match)]),
}

const INLINE: Writers<Extract<KeySource, { kind: 'inline' }>> = { kind: itself, key: ({ spki }) => encodeHex(spki) }
const SECRET: Writers<Extract<KeySource, { kind: 'secret' }>> = {
  kind: itself,
  namespace: itself,
  name: itself,
  entry: itself,
}
const KMS: Writers<Extract<KeySource, { kind: 'kms' }>> = { kind: itself, uri: itself }

const KEYLESS: Writers<Extract<Signer, { kind: 'keyless' }>> = {
  kind: itself,
  anyOf: (identities) => identities.map((identity) => write(IDENTITY, identity)),
}

const CERTIFICATE: Writers<Extract<Signer, { kind: 'certificate' }>> = {
  kind: itself,
  certificate: (certificate) => hex(certificate?.der),
  chain: certificates,
}

const KEY: Writers<Extract<Signer, { kind: 'key' }>> = {
  kind: itself,
  source: writeKeySource,
  digest: itself,
  algorithm: (algorithm) =>
    algorithm === undefined ? null : [algorithm.name, algorithm.digest ?? null, algorithm.family],
}

const ATTESTOR: Writers<Attestor> = {
  name: nothing,
  trust: nothing,
  signer: writeSigner,
  evidence: (evidence) => write(EVIDENCE, evidence),
  source: (source) => write(SOURCE, source),
  annotations: (annotations) => [...annotations].map(([name, match]) => [name, writeMatch(match)]),
}

const RANGE: Writers<TrustedLog['validFor']> = { start: itself, end: itself }

const AUTHORITY: Writers<TrustedAuthority> = {
  uri: itself,
  subject: (subject) => (subject === undefined ? null : [subject.organization, subject.commonName]),
  chain: certificates,
  validFor: (range) => write(RANGE, range),
  operator: itself,
}

const LOG: Writers<TrustedLog> = {
  baseUrl: itself,
  hashAlgorithm: itself,
  key: ({ spki }) => encodeHex(spki),
  algorithm: ({ name, digest = null, family }) => [name, digest, family],
  validFor: (range) => write(RANGE, range),
  logId: hex,
  checkpointKeyId: hex,
  operator: itself,
}

function writeSigner(signer: Signer): JsonValue {
  if (signer.kind === 'keyless') return write(KEYLESS, signer)
  return signer.kind === 'certificate' ? write(CERTIFICATE, signer) : write(KEY, signer)
}

function writeKeySource(source: KeySource): JsonValue {
  if (source.kind === 'inline') return write(INLINE, source)
  return source.kind === 'kms' ? write(KMS, source) : write(SECRET, source)
}

function writeMatch(match: TextMatch): JsonValue {
  if (match.kind === 'exact') return [match.kind, match.text]
  return match.kind === 'wildcard' ? [match.kind, match.pattern] : [match.kind, match.pattern.source, match.extent]
}

function write<T extends object>(writers: Writers<T>, value: T): JsonValue {
  // Sound: the table has one writer a field, of the field's own type.
  return Object.entries(writers).map(([name, writer]) =>
    (writer as (field: unknown) => JsonValue)(value[name as keyof T]),
  )
}

function hashOf(value: JsonValue): string {
  return encodeHex(sha256(encodeUtf8(JSON.stringify(value))))
}
