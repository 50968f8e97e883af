/** Kyverno's ClusterPolicy and Policy with `verifyImages`, compiled. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { Clock } from '#time'
import { loadJmesPath } from '../jmespath/expression.js'
import { Complaints, Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'
import type { CompiledPolicy, ImageRule } from '../internal/policy.js'
import { AUTOGEN_ANNOTATION, withGeneratedRules } from './autogen.js'
import type { WrittenRule } from './autogen.js'
import { forbidden, invalidValue } from './complain.js'
import { readMatchConditions } from './match-conditions.js'
import { readRule } from './rule.js'
import type { RuleReading } from './rule.js'
import { readSpec } from './spec.js'

/** What compiling takes of the world. */
export interface KyvernoOptions {
  readonly ports: { readonly clock: Clock }
}

const GROUP = 'kyverno.io'
const VERSIONS = ['v1', 'v2beta1']
const KINDS = ['ClusterPolicy', 'Policy']
const MAX_RULES = 300

/** Whether a document is a policy of Kyverno's of the kind that has rules. */
export function isKyvernoPolicy({ kind, apiVersion }: JsonObject): boolean {
  return KINDS.some((each) => kind === each) && typeof apiVersion === 'string' && apiVersion.startsWith(`${GROUP}/`)
}

/**
 * Compiles a policy. Every complaint is told, in the words of the original where it has some. Rules that are no `verifyImages` are
 * left to Kyverno, with a warning.
 * @throws PolicyError `POLICY_KIND`, `POLICY_FIELD`, `POLICY_UNSUPPORTED`
 */
export async function compileKyvernoPolicy(document: JsonObject, { ports }: KyvernoOptions): Promise<CompiledPolicy> {
  checkKind(document)
  const complaints = new Complaints()
  const top = new Fields(document, '', complaints).only('apiVersion', 'kind', 'metadata', 'spec', 'status')
  const metadata = top.object('metadata')
  const name = metadata?.text('name')
  if (name === undefined) complaints.missing('metadata.name')
  const namespace = readNamespace(document, metadata)
  const spec = top.object('spec')
  if (spec === undefined) complaints.missing('spec')
  const settings = spec === undefined ? undefined : readSpec(spec, namespace !== undefined)
  const rules: ImageRule[] = []
  const warnings: string[] = [...(settings?.warnings ?? [])]
  if (spec !== undefined && settings !== undefined) {
    const { actions } = settings
    const reading: RuleReading = {
      policy: name ?? '',
      namespace,
      actions,
      compile: await loadJmesPath(),
      narrow: await readMatchConditions(spec, settings.webhook.failurePolicy),
      clock: ports.clock,
    }
    for (const { rule, path } of withGeneratedRules(writtenRules(spec), annotationOf(metadata))) {
      const read = await readRule(new Fields(rule, path, complaints), reading)
      rules.push(...read.rules)
      warnings.push(...read.warnings)
    }
  }
  complaints.throwIfAny('the policy is not valid: ')
  if (settings === undefined || name === undefined) throw new PolicyError('POLICY_FIELD', 'spec is missing')
  const { webhook, applies, background } = settings
  return {
    language: 'ClusterPolicy',
    name,
    ...(namespace === undefined ? {} : { namespace }),
    rules,
    applies,
    webhook,
    background,
    warnings: [...new Set(warnings)],
    contentHash: hashOf(document, name, namespace),
  }
}

function hashOf({ spec, metadata }: JsonObject, name: string, namespace: string | undefined): string {
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined
  // The annotation decides which rules there are.
  const autogen = isJsonObject(annotations) ? (annotations[AUTOGEN_ANNOTATION] ?? null) : null
  const content = { name, namespace: namespace ?? null, autogen, spec: spec ?? null }
  return encodeHex(sha256(encodeUtf8(canonicalize(content))))
}

function checkKind({ kind, apiVersion }: JsonObject): void {
  const known = VERSIONS.some((version) => apiVersion === `${GROUP}/${version}`)
  if (known && KINDS.some((each) => kind === each)) return
  throw new PolicyError('POLICY_KIND', 'this is not a policy of Kyverno’s with rules', {
    expected: `${KINDS.join(' or ')} of ${VERSIONS.map((version) => `${GROUP}/${version}`).join(' or ')}`,
    found: `${JSON.stringify(kind)} of ${JSON.stringify(apiVersion)}`.slice(0, 200),
  })
}

/** Undefined for a ClusterPolicy. */
function readNamespace({ kind }: JsonObject, metadata: Fields | undefined): string | undefined {
  const namespace = metadata?.text('namespace')
  if (kind === 'Policy') return namespace ?? 'default'
  if (metadata !== undefined && namespace !== undefined)
    forbidden(metadata, 'namespace', 'A clusterpolicy should not have the namespace defined')
  return undefined
}

function annotationOf(metadata: Fields | undefined): string | undefined {
  const annotations = metadata?.object('annotations')
  return annotations?.has(AUTOGEN_ANNOTATION) === true ? (annotations.text(AUTOGEN_ANNOTATION) ?? '') : undefined
}

function writtenRules(spec: Fields): readonly WrittenRule[] {
  const rules = spec.objects('rules')
  if (rules.length === 0) spec.complaints.missing(spec.at('rules'))
  if (rules.length > MAX_RULES) invalidValue(spec, `expected at most ${String(MAX_RULES)} rules`, 'rules')
  const names = rules.map((rule): JsonValue | undefined => rule.get('name'))
  rules.forEach((rule, index) => {
    const name = names[index]
    if (name !== undefined && names.indexOf(name) !== index)
      invalidValue(rule, `Duplicate rule name: '${typeof name === 'string' ? name : ''}'`, 'name')
  })
  return rules.slice(0, MAX_RULES).map(({ value, path }) => ({ rule: value, path }))
}
