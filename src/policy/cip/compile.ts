/** Sigstore's ClusterImagePolicy, compiled. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Demand } from '../internal/demand.js'
import { Complaints, Fields } from '../internal/fields.js'
import { isGlob } from '../internal/glob.js'
import type { ImageSelector } from '../internal/image.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Action, CompiledPolicy, Conclusion, ImageRule } from '../internal/policy.js'
import type { Guarded } from '../refusing-policy.js'
import { readAuthority } from './authority.js'
import type { ReadAuthority } from './authority.js'
import { readMatch } from './match.js'
import { compilePolicyText, readPolicyText, TEXT_FIELDS } from './policy-text.js'
import type { CompilePorts, PolicyText } from './policy-text.js'
import { policyResult } from './result.js'
import type { Includes } from './result.js'
import { clusterImagePolicyWording } from './wording.js'

export interface CompileOptions {
  readonly ports: CompilePorts
  /** `fail-on-empty-authorities`; without it such a policy is taken, and admits nothing. */
  readonly failOnEmptyAuthorities: boolean
}

const GROUP = 'policy.sigstore.dev'
const VERSIONS = ['v1alpha1', 'v1beta1']
const MAX_AUTHORITIES = 100
const MAX_IMAGES = 1000

/** Whether a document is a ClusterImagePolicy of Sigstore's (OpenShift has another of the same name). */
export function isClusterImagePolicy(document: JsonObject): boolean {
  const { kind, apiVersion } = document
  return kind === 'ClusterImagePolicy' && typeof apiVersion === 'string' && apiVersion.startsWith(`${GROUP}/`)
}

/**
 * Compiles a policy. Every complaint is told, in the words of the original where it has some.
 * @throws PolicyError `POLICY_KIND`, `POLICY_FIELD`
 */
export async function compileClusterImagePolicy(
  document: JsonObject,
  options: CompileOptions,
): Promise<CompiledPolicy> {
  checkKind(document)
  const complaints = new Complaints()
  const top = new Fields(document, '', complaints).only('apiVersion', 'kind', 'metadata', 'spec', 'status')
  const name = top.object('metadata')?.text('name')
  if (name === undefined) complaints.missing('metadata.name')
  const spec = top.object('spec')
  if (spec === undefined) complaints.missing('spec')
  const read = spec === undefined ? undefined : readSpec(spec, options)
  complaints.throwIfAny('validation failed: ')
  if (read === undefined || name === undefined) throw new PolicyError('POLICY_FIELD', 'validation failed: spec')
  const rule = await compileRule(name, read, options.ports)
  return {
    language: 'ClusterImagePolicy',
    name,
    rules: [rule],
    warnings: read.authorities.flatMap(({ warnings }) => warnings),
    contentHash: encodeHex(sha256(encodeUtf8(canonicalize({ name, spec: document['spec'] ?? null })))),
  }
}

/** The images and the mode of a policy that cannot be used as a whole; undefined where not even these can be read. */
export function guardedByClusterImagePolicy(document: JsonObject): Guarded | undefined {
  const spec = new Fields(document, '', new Complaints()).object('spec')
  const globs = spec?.objects('images').map((image) => image.text('glob')) ?? []
  const include = globs.flatMap((glob): ImageSelector[] =>
    glob !== undefined && isGlob(glob) ? [{ kind: 'cip-glob', glob }] : [],
  )
  if (globs.length === 0 || include.length < globs.length) return undefined
  return { include, action: spec?.get('mode') === 'warn' ? 'warn' : 'deny' }
}

function checkKind({ kind, apiVersion }: JsonObject): void {
  const known = VERSIONS.some((version) => apiVersion === `${GROUP}/${version}`)
  if (kind === 'ClusterImagePolicy' && known) return
  throw new PolicyError('POLICY_KIND', 'this is not a ClusterImagePolicy of Sigstore’s policy-controller', {
    expected: `ClusterImagePolicy of ${VERSIONS.map((version) => `${GROUP}/${version}`).join(' or ')}`,
    found: `${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}`.slice(0, 200),
  })
}

interface ReadSpec {
  readonly images: readonly ImageSelector[]
  readonly authorities: readonly ReadAuthority[]
  readonly action: Action
  readonly match: ImageRule['matcher']
  readonly policy: { readonly text: PolicyText; readonly includes: Includes } | undefined
}

function readSpec(spec: Fields, { failOnEmptyAuthorities }: CompileOptions): ReadSpec {
  spec.only('images', 'mode', 'match', 'authorities', 'policy')
  const images = spec.objects('images')
  if (images.length === 0) spec.complaints.missing(spec.at('images'))
  if (images.length > MAX_IMAGES) spec.complaints.invalid(String(images.length), spec.at('images'), 'too many')
  const authorities = spec.objects('authorities')
  if (authorities.length === 0 && failOnEmptyAuthorities) spec.complaints.missing(spec.at('authorities'))
  if (authorities.length > MAX_AUTHORITIES)
    spec.complaints.invalid(String(authorities.length), spec.at('authorities'), 'too many')
  const read = authorities.slice(0, MAX_AUTHORITIES).flatMap((each, index) => readAuthority(each, index) ?? [])
  refuseSameNames(spec, read)
  return {
    images: images.slice(0, MAX_IMAGES).flatMap(readImage),
    authorities: read,
    action: readMode(spec),
    match: readMatch(spec),
    policy: readPolicy(spec),
  }
}

function readImage(fields: Fields): readonly ImageSelector[] {
  const glob = fields.only('glob').text('glob')
  if (glob === undefined) fields.complaints.missing(fields.at('glob'))
  else if (!isGlob(glob)) fields.complaints.invalid(glob, fields.at('glob'), 'glob is invalid')
  return glob === undefined ? [] : [{ kind: 'cip-glob', glob }]
}

function refuseSameNames(spec: Fields, authorities: readonly ReadAuthority[]): void {
  const names = authorities.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  // What the policy on the whole is shown goes by name: one would stand for both.
  if (twice !== undefined) spec.complaints.invalid(twice, spec.at('authorities'), 'expected names to be different')
}

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['enforce', 'deny'],
  ['warn', 'warn'],
])

function readMode(spec: Fields): Action {
  const mode = spec.text('mode') ?? 'enforce'
  const action = ACTIONS.get(mode)
  if (action === undefined) spec.complaints.invalid(mode, spec.at('mode'), 'unsupported mode')
  return action ?? 'deny'
}

function readPolicy(spec: Fields): ReadSpec['policy'] {
  const fields = spec.object('policy')
  if (fields === undefined) return undefined
  fields.only(...TEXT_FIELDS, 'fetchConfigFile', 'includeSpec', 'includeObjectMeta', 'includeTypeMeta')
  const text = readPolicyText(fields)
  const includes = {
    configFile: fields.boolean('fetchConfigFile') ?? false,
    spec: fields.boolean('includeSpec') ?? false,
    objectMeta: fields.boolean('includeObjectMeta') ?? false,
    typeMeta: fields.boolean('includeTypeMeta') ?? false,
  }
  return text === undefined ? undefined : { text, includes }
}

async function compileRule(name: string, read: ReadSpec, ports: CompilePorts): Promise<ImageRule> {
  const { images, authorities, action, match, policy } = read
  const of = await Promise.all(authorities.map((authority) => authority.demand(ports)))
  // One authority suffices; of none, none can.
  const demand: Demand = { kind: 'count', name: '', required: 1, of }
  return {
    kind: 'images',
    name: '',
    matcher: match,
    extract: undefined,
    images: { include: images, skip: [] },
    demand,
    conclusion: policy === undefined ? undefined : await compileConclusion(policy, ports),
    digests: { mutate: true, verify: true, required: true },
    enforcement: { explained: [action === 'deny' ? 'enforce' : 'warn'], actionFor: () => action },
    wording: clusterImagePolicyWording(name),
  }
}

async function compileConclusion(
  { text, includes }: NonNullable<ReadSpec['policy']>,
  ports: CompilePorts,
): Promise<Conclusion> {
  const { language, source, judge } = await compilePolicyText(text, ports)
  return {
    language,
    source,
    judge: async (input) => {
      const { warnings } = judge(await policyResult(input, includes))
      if (warnings.length === 0) return { warnings }
      // On the policy as a whole the original takes a warning for a refusal.
      throw new PolicyError('POLICY_PREDICATE', `warning: ${warnings.join('; ')}`)
    },
  }
}
