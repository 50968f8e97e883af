/** Sigstore's TrustRoot: whom a ClusterImagePolicy can name as trusted. @module */
import { defaultAlgorithm } from '#crypto/algorithms'
import { publicKeyFromPem } from '#crypto/public-key'
import type { DigestName } from '#crypto/digest'
import { decodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { parsePem } from '#encoding/pem'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { TrustedAuthority, TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { Complaints, Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'

/** Where a trust root comes from. */
export type TrustRootSource =
  | { readonly kind: 'keys'; readonly root: TrustedRoot }
  /** A live TUF repository. */
  | { readonly kind: 'remote'; readonly root: Uint8Array; readonly mirror: string; readonly target: string }
  /** A TUF repository as a gzipped tar file, for installations without a network. */
  | { readonly kind: 'repository'; readonly root: Uint8Array; readonly archive: Uint8Array; readonly target: string }

export interface TrustRootDocument {
  readonly name: string
  readonly source: TrustRootSource
}

const KINDS = ['remote', 'repository', 'sigstoreKeys'] as const
const DEFAULT_TARGET = 'trusted_root.json'

/** Whether a document is a TrustRoot. */
export function isTrustRoot({ kind, apiVersion }: JsonObject): boolean {
  return kind === 'TrustRoot' && apiVersion === 'policy.sigstore.dev/v1alpha1'
}

/**
 * Reads a TrustRoot. All complaints are told; the original forgets the earlier ones.
 * @throws PolicyError `POLICY_KIND`, `POLICY_FIELD`
 */
export function readTrustRoot(document: JsonObject): TrustRootDocument {
  if (!isTrustRoot(document))
    throw new PolicyError('POLICY_KIND', 'this is not a TrustRoot', { expected: 'policy.sigstore.dev/v1alpha1' })
  const complaints = new Complaints()
  const top = new Fields(document, '', complaints).only('apiVersion', 'kind', 'metadata', 'spec', 'status')
  const name = top.object('metadata')?.text('name')
  if (name === undefined) complaints.missing('metadata.name')
  const spec = top.object('spec')?.only(...KINDS)
  if (spec === undefined) complaints.missing('spec')
  const which = spec?.exactlyOne(KINDS)
  const part = which === undefined ? undefined : spec?.object(which)
  const source = part === undefined || which === undefined ? undefined : READERS[which](part)
  complaints.throwIfAny('validation failed: ')
  if (name === undefined || source === undefined) throw new PolicyError('POLICY_FIELD', 'validation failed: spec')
  return { name, source }
}

const READERS = {
  remote: readRemote,
  repository: readRepository,
  sigstoreKeys: readKeys,
} as const satisfies Record<(typeof KINDS)[number], (fields: Fields) => TrustRootSource | undefined>

function readRemote(fields: Fields): TrustRootSource | undefined {
  fields.only('root', 'mirror', 'targets', 'trustedRootTarget')
  const root = readBytes(fields, 'root')
  const mirror = fields.text('mirror')
  if (mirror === undefined) fields.complaints.missing(fields.at('mirror'))
  else if (!URL.canParse(mirror)) fields.complaints.invalid(mirror, fields.at('mirror'))
  const target = fields.text('trustedRootTarget') ?? DEFAULT_TARGET
  return root === undefined || mirror === undefined ? undefined : { kind: 'remote', root, mirror, target }
}

function readRepository(fields: Fields): TrustRootSource | undefined {
  fields.only('root', 'mirrorFS', 'targets', 'trustedRootTarget')
  const [root, archive] = [readBytes(fields, 'root'), readBytes(fields, 'mirrorFS')]
  const target = fields.text('trustedRootTarget') ?? DEFAULT_TARGET
  return root === undefined || archive === undefined ? undefined : { kind: 'repository', root, archive, target }
}

function readKeys(fields: Fields): TrustRootSource {
  fields.only('certificateAuthorities', 'tLogs', 'ctLogs', 'timestampAuthorities')
  const authorities = (name: string): readonly TrustedAuthority[] =>
    fields.objects(name).flatMap((each) => readAuthority(each) ?? [])
  const logs = (name: string): readonly TrustedLog[] => fields.objects(name).flatMap((each) => readLog(each) ?? [])
  const root: TrustedRoot = {
    certificateAuthorities: authorities('certificateAuthorities'),
    timestampAuthorities: authorities('timestampAuthorities'),
    tlogs: logs('tLogs'),
    ctlogs: logs('ctLogs'),
  }
  if (Object.values(root).every((part: readonly unknown[]) => part.length === 0))
    fields.complaints.missing(fields.at('certificateAuthorities'))
  return { kind: 'keys', root }
}

function readAuthority(fields: Fields): TrustedAuthority | undefined {
  fields.only('subject', 'uri', 'certChain')
  const subject = fields.object('subject')?.only('organization', 'commonName')
  const text = readPemText(fields, 'certChain')
  if (text === undefined) return undefined
  const chain = guarded(fields, 'certChain', () => {
    const blocks = parsePem(text).filter(({ label }) => label === 'CERTIFICATE')
    return blocks.map(({ bytes }) => parseCertificate(bytes))
  })
  if (chain === undefined) return undefined
  if (chain.length === 0) {
    fields.complaints.invalid('', fields.at('certChain'), 'expected certificates, the root last')
    return undefined
  }
  return {
    uri: fields.text('uri') ?? '',
    subject: {
      organization: subject?.text('organization') ?? '',
      commonName: subject?.text('commonName') ?? '',
    },
    chain,
    // The format states no period; the certificates have theirs.
    validFor: { start: 0 },
  }
}

const HASHES: ReadonlyMap<string, DigestName> = new Map([
  ['sha256', 'sha256'],
  ['sha-256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha-384', 'sha384'],
  ['sha512', 'sha512'],
  ['sha-512', 'sha512'],
])

function readLog(fields: Fields): TrustedLog | undefined {
  fields.only('baseURL', 'hashAlgorithm', 'publicKey')
  const baseUrl = fields.text('baseURL')
  if (baseUrl === undefined) fields.complaints.missing(fields.at('baseURL'))
  const hash = fields.text('hashAlgorithm')
  if (hash === undefined) fields.complaints.missing(fields.at('hashAlgorithm'))
  const hashAlgorithm = HASHES.get((hash ?? '').toLowerCase())
  if (hash !== undefined && hashAlgorithm === undefined) fields.complaints.invalid(hash, fields.at('hashAlgorithm'))
  const text = readPemText(fields, 'publicKey')
  const key = text === undefined ? undefined : guarded(fields, 'publicKey', () => publicKeyFromPem(text))
  const algorithm = key === undefined ? undefined : guarded(fields, 'publicKey', () => defaultAlgorithm(key))
  if (baseUrl === undefined || hashAlgorithm === undefined || key === undefined || algorithm === undefined)
    return undefined
  return { baseUrl, hashAlgorithm, key, algorithm, validFor: { start: 0 }, logId: key.id }
}

/** Bytes in base64, as Kubernetes writes them. */
function readBytes(fields: Fields, name: string): Uint8Array | undefined {
  const text = fields.text(name)
  if (text === undefined) {
    fields.complaints.missing(fields.at(name))
    return undefined
  }
  return guarded(fields, name, () => decodeBase64(text.replace(/\s+/g, '')))
}

/** PEM, as it is or, since the field is one of bytes, in base64. */
function readPemText(fields: Fields, name: string): string | undefined {
  const text = fields.text(name)
  if (text?.trimStart().startsWith('-----BEGIN') === true) return text
  const bytes = readBytes(fields, name)
  return bytes === undefined ? undefined : guarded(fields, name, () => decodeUtf8(bytes))
}

function guarded<T>(fields: Fields, name: string, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!isCodedError(error)) throw error
    fields.complaints.invalid((fields.text(name) ?? '').slice(0, 60), fields.at(name), error.message)
    return undefined
  }
}
