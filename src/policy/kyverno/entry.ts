/** One entry of an attestor set: keys, certificates, or a certified identity. @module */
import type { DigestName } from '#crypto/digest'
import { parseRepository } from '#formats/oci/reference'
import type { Attestor, KeySource, SignatureSource, Signer, TextMatch, TrustSource } from '../internal/attestor.js'
import type { Fields } from '../internal/fields.js'
import { forbidden, guarded, invalidValue, required } from './complain.js'
import { readEvidence } from './evidence.js'
import type { ReadEvidence } from './evidence.js'
import { readKeyless } from './keyless.js'
import { readCertificates, readPublicKeys } from './pem.js'
import type { VerifyReading } from './reading.js'

/** Of a rule: what its entries fall back on. */
export interface EntryDefaults {
  readonly annotations: ReadonlyMap<string, string>
  readonly repository: string | undefined
  readonly format: SignatureSource['format']
}

/** An attestor without its name: where it stands is known when keys of one text are taken apart. */
export interface EntryAttestor {
  /** `.keys`, `.certificates`, `.keyless`: the end of its name. */
  readonly suffix: string
  readonly attestor: Omit<Attestor, 'name'>
  /** Of a certificate with a chain: what must have issued it. */
  readonly issuers: Extract<Signer, { kind: 'certificate' }>['chain']
}

/** What an entry comes to. */
export type ReadEntry =
  | { readonly kind: 'attestors'; readonly attestors: readonly EntryAttestor[] }
  /** Nobody is named: nothing satisfies it. */
  | { readonly kind: 'nobody'; readonly suffix: string; readonly why: string }
  /** It cannot be said before variables are filled in, or there was something to complain about. */
  | { readonly kind: 'open' }

const ENTRY_FIELDS = ['annotations', 'repository', 'signatureAlgorithm'] as const
const SIGNERS = ['keys', 'certificates', 'keyless'] as const
const OPEN: ReadEntry = { kind: 'open' }

/** Reads an entry that is no nested set. */
export function readEntry(fields: Fields, defaults: EntryDefaults, reading: VerifyReading): ReadEntry {
  fields.only(...SIGNERS, 'attestor', ...ENTRY_FIELDS)
  const [kind, ...more] = SIGNERS.filter((each) => fields.has(each))
  const part = kind === undefined ? undefined : fields.object(kind)
  if (kind === undefined || part === undefined || more.length > 0) {
    invalidValue(fields, 'keys, certificates, keyless, or a nested attestor is required')
    return OPEN
  }
  const algorithm = reading.text(fields, 'signatureAlgorithm')
  const place = { defaults, reading, algorithm, entry: fields }
  const { signers, issuers = [], nobody } = READERS[kind](part, place)
  if (nobody !== undefined) return { kind: 'nobody', suffix: `.${kind}`, why: nobody }
  if (signers === undefined) return OPEN
  const common = readCommon(fields, place)
  const { evidence, trust } = readEvidence(part, reading)
  const attestors = signers.map(({ signer, authorities }): EntryAttestor => {
    const own: TrustSource = authorities === undefined ? trust : { ...trust, certificateAuthorities: authorities }
    return { suffix: `.${kind}`, attestor: { ...common, signer, evidence, trust: own }, issuers }
  })
  return { kind: 'attestors', attestors }
}

/** What reading a part of an entry takes. */
interface Place {
  readonly entry: Fields
  readonly defaults: EntryDefaults
  readonly reading: VerifyReading
  readonly algorithm: string | undefined
}

/** Who signs; undefined where that cannot be said. */
export interface ReadSigners {
  readonly signers?: readonly {
    readonly signer: Signer
    readonly authorities?: ReadEvidence['trust']['certificateAuthorities']
  }[]
  readonly issuers?: EntryAttestor['issuers']
  readonly nobody?: string
}

const READERS: Readonly<Record<(typeof SIGNERS)[number], (part: Fields, place: Place) => ReadSigners>> = {
  keys: readKeys,
  certificates: readCertificateSigner,
  keyless: (part, { reading }) => readKeyless(part, reading),
}

function readCommon(fields: Fields, { defaults, reading }: Place): Pick<Attestor, 'source' | 'annotations'> {
  const annotations = fields.has('annotations') ? fields.textMap('annotations') : defaults.annotations
  const repository = readRepository(fields, reading) ?? defaults.repository
  return {
    source: { format: defaults.format, pullSecrets: [], ...(repository === undefined ? {} : { repository }) },
    annotations: new Map([...annotations].map(([name, text]): [string, TextMatch] => [name, { kind: 'exact', text }])),
  }
}

/** Where signatures are looked for instead of beside the image. */
export function readRepository(fields: Fields, reading: VerifyReading): string | undefined {
  const repository = reading.text(fields, 'repository')
  if (repository !== undefined) guarded(fields, 'repository', () => parseRepository(repository))
  return repository
}

const KEY_FIELDS = ['publicKeys', 'kms', 'secret', 'signatureAlgorithm', 'rekor', 'ctlog'] as const
const DIGESTS: ReadonlyMap<string, DigestName> = new Map([
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha512', 'sha512'],
])
const KMS = /^(?:awskms|gcpkms|azurekms|hashivault):\/\/\S+$/
const SECRET = /^k8s:\/\/([^/\s]+)\/([^/\s]+)$/

function readKeys(fields: Fields, place: Place): ReadSigners {
  fields.only(...KEY_FIELDS)
  const digest = readDigest(fields, place)
  const given = (['publicKeys', 'secret', 'kms'] as const).filter((name) => fields.has(name))
  if (given.length > 1) invalidValue(fields, `one of publicKeys, secret and kms: ${given.join(', ')} are given`)
  const text = fields.text('publicKeys')
  const sources = text === undefined ? readKeptKey(fields, place.reading) : readKeyText(fields, text, place.reading)
  return sources === undefined
    ? {}
    : { signers: sources.map((source) => ({ signer: { kind: 'key', source, digest } })) }
}

/** The one beside the keys is the older; either may be what the schema puts in where nothing is written. */
function readDigest(fields: Fields, { reading, algorithm }: Place): DigestName | undefined {
  const named = [reading.text(fields, 'signatureAlgorithm'), algorithm].filter((name) => name !== undefined)
  const chosen = new Set(named.filter((name) => name !== 'sha256'))
  if (chosen.size > 1) invalidValue(fields, 'another than that of the entry', 'signatureAlgorithm')
  const [name = 'sha256'] = chosen
  const digest = DIGESTS.get(name)
  if (digest === undefined)
    fields.complaints.add(
      `${fields.at('signatureAlgorithm')}: Invalid value: ${JSON.stringify(name).slice(0, 80)}: Invalid signature algorithm provided: expected one of ${[...DIGESTS.keys()].join(', ')}`,
    )
  return digest
}

function readKeyText(fields: Fields, text: string, reading: VerifyReading): readonly KeySource[] | undefined {
  if (reading.isOpen(text)) return undefined
  const trimmed = text.trim()
  const [, namespace, name] = SECRET.exec(trimmed) ?? []
  if (namespace !== undefined && name !== undefined) {
    refuseForeign(fields, { name: 'publicKeys', namespace }, reading)
    return [{ kind: 'secret', namespace, name, entry: COSIGN_PUB }]
  }
  if (KMS.test(trimmed)) return [{ kind: 'kms', uri: trimmed }]
  const keys = guarded(fields, 'publicKeys', () => readPublicKeys(text))
  return keys?.map((key) => ({ kind: 'inline', key }))
}

const COSIGN_PUB = 'cosign.pub'

function readKeptKey(fields: Fields, reading: VerifyReading): readonly KeySource[] | undefined {
  const kms = fields.text('kms')
  if (kms !== undefined) {
    if (!KMS.test(kms) && !reading.isOpen(kms))
      invalidValue(fields, 'expected awskms://…, gcpkms://…, azurekms://… or hashivault://…', 'kms')
    return [{ kind: 'kms', uri: kms }]
  }
  const secret = fields.object('secret')?.only('name', 'namespace')
  if (secret === undefined) {
    invalidValue(fields, 'A public key, kms key or secret is required')
    return undefined
  }
  const [name, namespace] = [secret.text('name'), secret.text('namespace')]
  if (name === undefined) required(secret, 'name', '')
  if (namespace === undefined) required(secret, 'namespace', '')
  if (name === undefined || namespace === undefined) return undefined
  if (!reading.isOpen(namespace)) refuseForeign(secret, { name: 'namespace', namespace }, reading)
  return [{ kind: 'secret', namespace, name, entry: COSIGN_PUB }]
}

/** Whoever writes policies for one namespace learns nothing of what another keeps. */
function refuseForeign(
  fields: Fields,
  { name, namespace }: { readonly name: string; readonly namespace: string },
  reading: VerifyReading,
): void {
  if (reading.namespace === undefined || namespace === reading.namespace) return
  forbidden(fields, name, 'a namespaced policy uses secrets of its own namespace')
}

/** A certificate with a chain is pinned, and must be of the chain; a chain alone means whoever it certifies. */
function readCertificateSigner(fields: Fields, { reading }: Place): ReadSigners {
  fields.only('cert', 'certChain', 'rekor', 'ctlog')
  const [cert, chain] = [fields.text('cert'), fields.text('certChain')]
  if (cert === undefined && chain === undefined) {
    invalidValue(fields, 'cert or certChain required')
    return {}
  }
  if ([cert, chain].some((text) => text !== undefined && reading.isOpen(text))) return {}
  const certificates = cert === undefined ? [] : guarded(fields, 'cert', () => readCertificates(cert))
  const issuers = chain === undefined ? [] : guarded(fields, 'certChain', () => readCertificates(chain))
  if (certificates === undefined || issuers === undefined) return {}
  const [certificate] = certificates
  const signer: Signer = { kind: 'certificate', certificate, chain: certificate === undefined ? issuers : [] }
  return { signers: [{ signer }], issuers: certificate === undefined ? [] : issuers }
}
