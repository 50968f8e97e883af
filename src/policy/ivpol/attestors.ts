/** `attestors`: who signs, read from the policy. What expressions give is put in when a resource is judged. @module */
import type { DigestName } from '#crypto/digest'
import { decodeBase64 } from '#encoding/base64'
import { parseRepository } from '#formats/oci/reference'
import type { Evidence, SignatureSource, TextMatch } from '../internal/attestor.js'
import type { Fields } from '../internal/fields.js'
import type { TrustRepository } from '../internal/trust-repository.js'
import { readKeyless } from './identities.js'
import type { ReadIdentity } from './identities.js'
import { guarded, readText, required } from './reading.js'
import type { Text } from './reading.js'

/** An attestor as it is written. */
export type ReadAttestor =
  | { readonly kind: 'cosign'; readonly name: string; readonly cosign: ReadCosign }
  /** Declared, and of use for nothing here. */
  | { readonly kind: 'notary' | 'none'; readonly name: string; readonly expressions: readonly string[] }

export type ReadSigner =
  | {
      readonly kind: 'key'
      readonly data: string | undefined
      readonly kms: string | undefined
      readonly expression: string | undefined
      readonly digest: DigestName | undefined
    }
  | { readonly kind: 'keyless'; readonly identities: readonly ReadIdentity[]; readonly roots: string | undefined }
  | { readonly kind: 'certificate'; readonly certificate: Text | undefined; readonly chain: Text | undefined }

export interface ReadCosign {
  readonly signer: ReadSigner
  readonly evidence: Evidence
  readonly logKey: string | undefined
  readonly logUrl: string
  readonly certificateLogKey: string | undefined
  readonly stampingChain: string | undefined
  readonly repository: TrustRepository | undefined
  readonly trustedRoot: Text | undefined
  readonly source: SignatureSource
  readonly annotations: ReadonlyMap<string, TextMatch>
}

const MAX_ATTESTORS = 100

/** All attestors, and what is to be told of them. */
export function readAttestors(spec: Fields): {
  readonly attestors: readonly ReadAttestor[]
  readonly warnings: readonly string[]
} {
  const all = spec.objects('attestors')
  if (all.length > MAX_ATTESTORS) spec.complaints.invalid(String(all.length), spec.at('attestors'), 'too many')
  const warnings: string[] = []
  const attestors = all.slice(0, MAX_ATTESTORS).flatMap((each) => readAttestor(each, warnings) ?? [])
  const names = attestors.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) spec.complaints.invalid(twice, spec.at('attestors'), 'expected names to be different')
  return { attestors, warnings }
}

function readAttestor(fields: Fields, warnings: string[]): ReadAttestor | undefined {
  fields.only('name', 'cosign', 'notary')
  const name = required(fields, 'name')
  const [cosign, notary] = [fields.object('cosign'), fields.object('notary')]
  if (cosign !== undefined && notary !== undefined)
    fields.complaints.add(`${fields.path}: Invalid value: only one of cosign and notary can be set`)
  if (notary !== undefined) {
    notary.only('certs', 'tsaCerts')
    const texts = [readText(notary, 'certs'), readText(notary, 'tsaCerts')]
    warnings.push(
      `the attestor ${name} is one of Notary, whose signatures are not verified here: nothing counts for it`,
    )
    return { kind: 'notary', name, expressions: texts.flatMap((text) => text?.expression ?? []) }
  }
  if (cosign === undefined) {
    warnings.push(`the attestor ${name} says of nobody that they sign: nothing counts for it`)
    return { kind: 'none', name, expressions: [] }
  }
  const read = readCosign(cosign, warnings)
  return read === undefined ? undefined : { kind: 'cosign', name, cosign: read }
}

const SIGNERS = ['key', 'keyless', 'certificate'] as const

function readCosign(fields: Fields, warnings: string[]): ReadCosign | undefined {
  fields.only(...SIGNERS, 'source', 'ctlog', 'tuf', 'annotations', 'trustedRoot')
  const which = fields.exactlyOne(SIGNERS)
  const part = which === undefined ? undefined : fields.object(which)
  const signer = part === undefined || which === undefined ? undefined : READERS[which](part, warnings)
  const log = fields.object('ctlog')
  log?.only('url', 'rekorPubKey', 'ctLogPubKey', 'tsaCertChain', 'insecureIgnoreTlog', 'insecureIgnoreSCT')
  const ignoresLog = log?.boolean('insecureIgnoreTlog') ?? false
  const stampingChain = log?.text('tsaCertChain')
  const rest = {
    logKey: log?.text('rekorPubKey'),
    logUrl: log?.text('url') ?? '',
    certificateLogKey: log?.text('ctLogPubKey'),
    stampingChain,
    repository: readRepository(fields),
    trustedRoot: readText(fields, 'trustedRoot'),
    source: readSource(fields),
    annotations: readAnnotations(fields),
  }
  if (signer === undefined) return undefined
  const evidence: Evidence = {
    // A certificate of minutes needs somebody who says when it signed: an entry of a log may be the only one who does.
    tlog: !ignoresLog ? 'required' : signer.kind === 'key' ? 'ignored' : 'if-present',
    timestamp: stampingChain === undefined ? 'accepted' : 'required',
    sct: log?.boolean('insecureIgnoreSCT') === true ? 'ignored' : 'required',
  }
  return { signer, evidence, ...rest }
}

const READERS: Readonly<Record<(typeof SIGNERS)[number], (fields: Fields, warnings: string[]) => ReadSigner>> = {
  key: readKey,
  keyless: (fields, warnings) => {
    const keyless = readKeyless(fields)
    warnings.push(...keyless.warnings)
    return { kind: 'keyless', identities: keyless.identities, roots: fields.text('roots') }
  },
  certificate: (fields) => {
    fields.only('cert', 'certChain')
    const [certificate, chain] = [readText(fields, 'cert'), readText(fields, 'certChain')]
    if (certificate === undefined && chain === undefined)
      fields.complaints.add(`${fields.path}: Required value: one of cert and certChain`)
    return { kind: 'certificate', certificate, chain }
  },
}

const DIGESTS: ReadonlyMap<string, DigestName> = new Map([
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha512', 'sha512'],
])

const KMS_SCHEMES = ['awskms://', 'gcpkms://', 'azurekms://', 'hashivault://']

function readKey(fields: Fields): ReadSigner {
  fields.only('data', 'kms', 'hashAlgorithm', 'expression')
  fields.exactlyOne(['data', 'kms', 'expression'])
  const kms = fields.text('kms')
  if (kms !== undefined && !KMS_SCHEMES.some((scheme) => kms.startsWith(scheme)))
    fields.complaints.invalid(kms, fields.at('kms'), `expected one of ${KMS_SCHEMES.join(', ')}`)
  const hash = fields.text('hashAlgorithm')
  const digest = DIGESTS.get((hash ?? '').toLowerCase())
  if (hash !== undefined && digest === undefined)
    fields.complaints.invalid(hash, fields.at('hashAlgorithm'), `expected one of ${[...DIGESTS.keys()].join(', ')}`)
  return { kind: 'key', data: fields.text('data'), kms, expression: fields.text('expression'), digest }
}

function readRepository(parent: Fields): TrustRepository | undefined {
  const fields = parent.object('tuf')?.only('mirror', 'root')
  if (fields === undefined) return undefined
  const mirror = fields.text('mirror')
  if (mirror !== undefined && !URL.canParse(mirror)) fields.complaints.invalid(mirror, fields.at('mirror'))
  const root = fields.object('root')?.only('path', 'data')
  if (root?.text('path') !== undefined)
    fields.complaints.add(
      `${root.at('path')}: Forbidden: a policy does not read files and addresses here; write the root metadata into data`,
    )
  const data = root?.text('data')
  return {
    mirror,
    root: data === undefined || root === undefined ? undefined : guarded(root, 'data', () => decodeBase64(data)),
  }
}

function readSource(parent: Fields): SignatureSource {
  const fields = parent.object('source')?.only('repository', 'PullSecrets', 'pullSecrets', 'tagPrefix')
  const repository = fields?.text('repository')
  if (fields !== undefined && repository !== undefined) guarded(fields, 'repository', () => parseRepository(repository))
  const tagPrefix = fields?.text('tagPrefix')
  const secrets = [...(fields?.objects('PullSecrets') ?? []), ...(fields?.objects('pullSecrets') ?? [])]
  return {
    format: 'any',
    ...(repository === undefined ? {} : { repository }),
    ...(tagPrefix === undefined ? {} : { tagPrefix }),
    pullSecrets: secrets.flatMap((secret) => {
      const name = secret.only('name').text('name')
      return name === undefined ? [] : [{ name }]
    }),
  }
}

function readAnnotations(fields: Fields): ReadonlyMap<string, TextMatch> {
  return new Map([...fields.textMap('annotations')].map(([name, text]) => [name, { kind: 'exact', text }] as const))
}
