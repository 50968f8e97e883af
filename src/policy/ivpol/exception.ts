/** Exceptions from policies whose expressions are CEL. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Pattern } from '#verify/pattern/pattern'
import { compileMatchConditions, matchesConditions } from '../cel/match-conditions.js'
import type { CompiledConditions, MatchCondition } from '../cel/match-conditions.js'
import { loadCel } from '../cel/program.js'
import { skipForms } from '../internal/image-forms.js'
import type { CompiledException, ExcusedRule } from '../internal/exception.js'
import { Complaints, Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'
import { loadYamlParser, policyEnvironment } from './environment.js'
import { Expressions } from './expressions.js'
import { compileGlob } from './glob.js'
import { CLUSTER_KIND, EXCEPTION_KIND, GROUP, isCelException, NAMESPACED_KIND, VERSIONS } from './kinds.js'
import { guarded, required } from './reading.js'
import { readNamed } from './spec.js'
import { reviewEvaluation } from './variables.js'

interface PolicyRef {
  readonly name: string
  readonly kind: string
}

interface ReadException {
  readonly refs: readonly PolicyRef[]
  readonly conditions: readonly MatchCondition[]
  readonly images: readonly Pattern[]
  /** Milliseconds since 1970. */
  readonly expiresAt: number | undefined
}

/**
 * Compiles an exception. One from a namespaced policy has to stand in the policy's own namespace.
 * @throws PolicyError `POLICY_KIND`, `POLICY_FIELD`
 */
export async function compileCelException(document: JsonObject): Promise<CompiledException> {
  checkKind(document)
  const complaints = new Complaints()
  const top = new Fields(document, '', complaints).only('apiVersion', 'kind', 'metadata', 'spec', 'status')
  const metadata = top.object('metadata')
  const name = metadata?.text('name')
  const namespace = metadata?.text('namespace') ?? 'default'
  if (name === undefined) complaints.missing('metadata.name')
  const spec = top.object('spec')
  if (spec === undefined) complaints.missing('spec')
  const read = spec === undefined ? undefined : readException(spec)
  const conditions = read === undefined ? undefined : await compileConditions(read, complaints)
  complaints.throwIfAny('the exception is not valid: ')
  if (read === undefined || conditions === undefined) throw new PolicyError('POLICY_FIELD', 'spec is missing')
  return {
    name: `${namespace}/${name ?? ''}`,
    covers: (rule) => read.refs.some((ref) => isRef(ref, rule, namespace)),
    matcher: {
      explained: read.conditions.map(({ name: title, expression }) => `where ${title}: ${expression}`),
      matches: async (review, circumstances) => {
        if (read.expiresAt !== undefined && circumstances.clock() > read.expiresAt) return false
        const evaluation = reviewEvaluation(review, circumstances)
        return await matchesConditions(conditions, evaluation, 'Fail')
      },
    },
    // A digest is only excused by what is said of it: its tag may stand for anything.
    ...(read.images.length === 0
      ? {}
      : { excuses: (image) => skipForms(image).some((form) => read.images.some((glob) => glob.matches(form))) }),
    contentHash: encodeHex(
      sha256(encodeUtf8(canonicalize({ name: name ?? '', namespace, spec: document['spec'] ?? null }))),
    ),
  }
}

function checkKind(document: JsonObject): void {
  const { kind, apiVersion } = document
  if (isCelException(document) && VERSIONS.some((version) => apiVersion === `${GROUP}/${version}`)) return
  throw new PolicyError('POLICY_KIND', 'this is not an exception from policies with CEL expressions', {
    expected: `${EXCEPTION_KIND} of ${VERSIONS.map((version) => `${GROUP}/${version}`).join(', ')}`,
    found: `${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}`.slice(0, 200),
  })
}

function isRef({ name, kind }: PolicyRef, { language, policy, namespace }: ExcusedRule, own: string): boolean {
  if (language !== 'ImageValidatingPolicy' || name !== policy) return false
  return namespace === undefined ? kind === CLUSTER_KIND : kind === NAMESPACED_KIND && namespace === own
}

function readException(spec: Fields): ReadException {
  spec.only(
    'policyRefs',
    'matchConditions',
    'images',
    'allowedValues',
    'reportResult',
    'expiresAt',
    'properties',
    'evaluationMode',
  )
  const refs = spec.objects('policyRefs').map((ref) => {
    ref.only('name', 'kind')
    return { name: required(ref, 'name'), kind: required(ref, 'kind') }
  })
  if (refs.length === 0)
    spec.complaints.add(`${spec.at('policyRefs')}: Invalid value: must specify at least one policy ref`)
  const report = spec.text('reportResult')
  if (report !== undefined && report !== 'skip' && report !== 'pass')
    spec.complaints.add(`${spec.at('reportResult')}: Unsupported value: "${report}": supported values: "skip", "pass"`)
  const expiry = spec.text('expiresAt')
  const expiresAt = expiry === undefined ? undefined : Date.parse(expiry)
  if (expiry !== undefined && (Number.isNaN(expiresAt) || !/^\d{4}-\d\d-\d\dT/.test(expiry)))
    spec.complaints.invalid(expiry, spec.at('expiresAt'), 'expected a time, such as 2026-05-01T00:00:00Z')
  return {
    refs,
    conditions: readNamed(spec, 'matchConditions').map(({ name, expression }) => ({ name, expression })),
    images: spec.texts('images').flatMap((glob) => guarded(spec, 'images', () => compileGlob(glob)) ?? []),
    expiresAt,
  }
}

async function compileConditions({ conditions }: ReadException, complaints: Complaints): Promise<CompiledConditions> {
  const [compile, parseYaml] = await Promise.all([loadCel(), loadYamlParser()])
  const expressions = new Expressions(compile, complaints)
  const environment = policyEnvironment(
    { namespace: undefined, mode: 'Kubernetes', attestations: new Map() },
    parseYaml,
  )
  try {
    return compileMatchConditions(conditions, environment, compile)
  } catch (error) {
    expressions.complain('spec.matchConditions', error)
    return { conditions: [], programs: [] }
  }
}
