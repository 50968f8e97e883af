/** Kyverno's PolicyException: resources for which some rules are not asked. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { compileConditions } from '../jmespath/conditions.js'
import { loadJmesPath } from '../jmespath/expression.js'
import type { CompiledException, ExcusedRule } from '../internal/exception.js'
import { Complaints, Fields } from '../internal/fields.js'
import { podImages } from '../internal/pod-images.js'
import { PolicyError } from '../internal/policy-error.js'
import type { ResourceMatcher } from '../internal/policy.js'
import { forbidden, guarded, invalidValue, required } from './complain.js'
import { readExceptionMatch } from './match.js'
import { accountVariables, imagesVariable, requestVariable } from './request-data.js'
import { Scope } from './scope.js'
import { readWildcards } from './wildcard.js'
import type { Wildcard } from './wildcard.js'

const GROUP = 'kyverno.io'
const VERSIONS = ['v2', 'v2beta1']
const MAX_EXCEPTIONS = 500

/** Whether a document is an exception from policies with rules. */
export function isKyvernoException({ kind, apiVersion }: JsonObject): boolean {
  return kind === 'PolicyException' && typeof apiVersion === 'string' && apiVersion.startsWith(`${GROUP}/`)
}

interface Excused {
  /** `namespace/name` of a namespaced policy. */
  readonly policy: string
  readonly rules: readonly Wildcard[]
}

/**
 * Compiles an exception. In whatever namespace it stands, it is about what its `match` says; which namespaces exceptions are taken
 * from is the installation's to say.
 * @throws PolicyError `POLICY_KIND`, `POLICY_FIELD`
 */
export async function compileKyvernoException(document: JsonObject): Promise<CompiledException> {
  const { kind, apiVersion } = document
  if (!isKyvernoException(document) || !VERSIONS.some((version) => apiVersion === `${GROUP}/${version}`)) {
    throw new PolicyError('POLICY_KIND', 'this is not an exception of Kyverno’s from policies with rules', {
      expected: `PolicyException of ${VERSIONS.map((version) => `${GROUP}/${version}`).join(' or ')}`,
      found: `${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}`.slice(0, 200),
    })
  }
  const complaints = new Complaints()
  const top = new Fields(document, '', complaints).only('apiVersion', 'kind', 'metadata', 'spec')
  const metadata = top.object('metadata')
  const name = metadata?.text('name')
  if (name === undefined) complaints.missing('metadata.name')
  const spec = top.object('spec')
  if (spec === undefined) complaints.missing('spec')
  const excused = spec === undefined ? [] : readExcused(spec)
  const matcher = spec === undefined ? undefined : await readMatcher(spec)
  complaints.throwIfAny('the exception is not valid: ')
  if (matcher === undefined) throw new PolicyError('POLICY_FIELD', 'spec is missing')
  // One about controls of pod security is not about signatures.
  const aboutPods = spec?.has('podSecurity') === true
  return {
    name: `${metadata?.text('namespace') ?? 'default'}/${name ?? ''}`,
    covers: (rule) => !aboutPods && excused.some((each) => isExcused(each, rule)),
    matcher,
    contentHash: encodeHex(sha256(encodeUtf8(canonicalize({ name: name ?? '', spec: document['spec'] ?? null })))),
  }
}

function isExcused({ policy, rules }: Excused, excused: ExcusedRule): boolean {
  const name = excused.namespace === undefined ? excused.policy : `${excused.namespace}/${excused.policy}`
  return excused.language === 'ClusterPolicy' && policy === name && rules.some((rule) => rule.matches(excused.rule))
}

function readExcused(spec: Fields): readonly Excused[] {
  spec.only('background', 'match', 'conditions', 'exceptions', 'podSecurity')
  const list = spec.objects('exceptions')
  if (list.length > MAX_EXCEPTIONS) invalidValue(spec, `expected at most ${String(MAX_EXCEPTIONS)}`, 'exceptions')
  return list.slice(0, MAX_EXCEPTIONS).map((each) => {
    each.only('policyName', 'ruleNames')
    const policy = each.text('policyName')
    if (policy === undefined) required(each, 'policyName', 'An exception requires a policy name')
    return { policy: policy ?? '', rules: readWildcards(each, 'ruleNames') }
  })
}

async function readMatcher(spec: Fields): Promise<ResourceMatcher> {
  if (spec.boolean('background') ?? true) refuseUsers(spec)
  const match = readExceptionMatch(spec)
  const source = spec.get('conditions')
  if (source === undefined) return match
  const compile = await loadJmesPath()
  const conditions = guarded(spec, 'conditions', () => compileConditions(compile, source))
  return {
    explained: [...match.explained, 'under conditions'],
    matches: async (review, circumstances) => {
      if (conditions === undefined || !(await match.matches(review, circumstances))) return false
      const scope = Scope.of({
        request: requestVariable(review),
        ...accountVariables(review),
        images: () => imagesVariable(podImages(review.kind.kind, review.object)),
      })
      const { holds } = await scope.evaluate((data) => conditions.evaluate(data, circumstances.clock))
      return holds
    },
  }
}

/** What already runs has nobody who asks for it. */
function refuseUsers(spec: Fields): void {
  const match = spec.object('match')
  for (const block of [...(match?.objects('any') ?? []), ...(match?.objects('all') ?? [])]) {
    for (const name of ['roles', 'clusterRoles', 'subjects'])
      if (block.has(name)) forbidden(block, name, 'Usage of user info is forbidden')
  }
}
