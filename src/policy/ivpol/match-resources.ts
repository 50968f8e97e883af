/** `matchConstraints`: which requests a policy is about, as admission policies of Kubernetes have it. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject } from '#encoding/json'
import type { Circumstances } from '../internal/cluster.js'
import type { Fields } from '../internal/fields.js'
import { labelsOf, readLabelSelector, selectsLabels } from '../internal/label-selector.js'
import type { LabelSelector } from '../internal/label-selector.js'
import type { Review } from '../internal/review.js'
import type { ScopeRule, ScopeSelector, WebhookScope } from '../internal/webhook-scope.js'

/** Constraints as they are written. */
export interface MatchResources {
  readonly scope: Omit<WebhookScope, 'matchConditions'>
  readonly namespaceSelector: LabelSelector | undefined
  readonly objectSelector: LabelSelector | undefined
}

const FIELDS = ['namespaceSelector', 'objectSelector', 'resourceRules', 'excludeResourceRules', 'matchPolicy'] as const

export function readMatchResources(spec: Fields): MatchResources {
  const fields = spec.object('matchConstraints')
  fields?.only(...FIELDS)
  const rules = fields?.objects('resourceRules').map(readRule) ?? []
  if (rules.length === 0)
    spec.complaints.add(
      `${spec.at('matchConstraints')}: Required value: a matchConstraints with at least one resource rule is required`,
    )
  const policy = fields?.text('matchPolicy') ?? 'Equivalent'
  if (policy !== 'Exact' && policy !== 'Equivalent')
    spec.complaints.add(
      `${spec.at('matchConstraints')}.matchPolicy: Unsupported value: "${policy.slice(0, 100)}": supported values: "Equivalent", "Exact"`,
    )
  const [namespaces, objects] = [fields?.object('namespaceSelector'), fields?.object('objectSelector')]
  const scope = {
    rules,
    excluded: fields?.objects('excludeResourceRules').map(readRule) ?? [],
    matchPolicy: policy === 'Exact' ? ('Exact' as const) : ('Equivalent' as const),
  }
  const [namespaceSelector, objectSelector] = [namespaces, objects].map((each) =>
    each === undefined || isEmpty(each) ? undefined : readLabelSelector(each),
  )
  return {
    scope: { ...scope, namespaceSelector: shown(namespaceSelector), objectSelector: shown(objectSelector) },
    namespaceSelector,
    objectSelector,
  }
}

/** A selector without a condition selects everything. */
function isEmpty({ value }: Fields): boolean {
  return Object.keys(value).length === 0
}

function shown(selector: LabelSelector | undefined): ScopeSelector | undefined {
  if (selector === undefined) return undefined
  return {
    matchLabels: Object.fromEntries(selector.labels),
    matchExpressions: selector.expressions.map(({ key, operator, values }) => ({ key, operator, values })),
  }
}

const SCOPES = ['Cluster', 'Namespaced', '*'] as const

function readRule(fields: Fields): ScopeRule {
  fields.only('apiGroups', 'apiVersions', 'resources', 'operations', 'scope', 'resourceNames')
  const scope = fields.text('scope') ?? '*'
  const known = SCOPES.find((each) => each === scope)
  if (known === undefined) fields.complaints.invalid(scope, fields.at('scope'), `expected one of ${SCOPES.join(', ')}`)
  for (const name of ['apiGroups', 'apiVersions', 'resources', 'operations'])
    if (fields.texts(name).length === 0) fields.complaints.add(`${fields.at(name)}: Required value`)
  return {
    apiGroups: fields.texts('apiGroups'),
    apiVersions: fields.texts('apiVersions'),
    resources: fields.texts('resources'),
    operations: fields.texts('operations'),
    scope: known ?? '*',
    resourceNames: fields.texts('resourceNames'),
  }
}

/** Whether a request is one that the policy is about. @throws what says that the namespace cannot be had */
export async function matchesResources(
  { scope, namespaceSelector, objectSelector }: MatchResources,
  review: Review,
  circumstances: Circumstances,
): Promise<boolean> {
  const exactly = scope.matchPolicy === 'Exact'
  if (!scope.rules.some((rule) => ruleMatches(rule, review, exactly))) return false
  if (scope.excluded.some((rule) => ruleMatches(rule, review, exactly))) return false
  if (objectSelector !== undefined && !objectMatches(objectSelector, review)) return false
  return namespaceSelector === undefined || (await namespaceMatches(namespaceSelector, review, circumstances))
}

function ruleMatches(rule: ScopeRule, review: Review, exactly: boolean): boolean {
  const { group, version, resource, subresource } = review.resource
  const named = rule.resourceNames.length === 0 || rule.resourceNames.includes(review.name)
  return (
    has(rule.operations, review.operation) &&
    has(rule.apiGroups, group) &&
    // An API server converts to the version that was asked for; it is the same resource in each.
    (!exactly || has(rule.apiVersions, version)) &&
    rule.resources.some((each) => resourceMatches(each, resource, subresource)) &&
    scopeMatches(rule.scope, review) &&
    named
  )
}

function has(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value)
}

/** `pods` is not about `pods/log`; `*` is about no subresource, and `pods/*` about the resource itself as well. */
function resourceMatches(pattern: string, resource: string, subresource: string | undefined): boolean {
  const [name = '', part] = pattern.split('/')
  if (name !== '*' && name !== resource) return false
  if (part === '*') return true
  return part === subresource
}

function scopeMatches(scope: ScopeRule['scope'], { namespace, kind }: Review): boolean {
  if (scope === '*') return true
  const isNamespaced = namespace !== undefined && kind.kind !== 'Namespace'
  return isNamespaced === (scope === 'Namespaced')
}

function objectMatches(selector: LabelSelector, { object, oldObject }: Review): boolean {
  return (
    selectsLabels(selector, labelsOf(object)) ||
    (oldObject !== undefined && selectsLabels(selector, labelsOf(oldObject)))
  )
}

const NAME_LABEL = 'kubernetes.io/metadata.name'

async function namespaceMatches(
  selector: LabelSelector,
  review: Review,
  circumstances: Circumstances,
): Promise<boolean> {
  if (review.kind.kind === 'Namespace' && review.kind.group === '')
    return selectsLabels(selector, labelsOf(review.object))
  const { namespace } = review
  // What is in no namespace is not left out by what is said of namespaces.
  if (namespace === undefined) return true
  const keys = [...selector.labels.keys(), ...selector.expressions.map(({ key }) => key)]
  // Of the name, every API server makes a label itself.
  if (keys.every((key) => key === NAME_LABEL)) return selectsLabels(selector, new Map([[NAME_LABEL, namespace]]))
  const found = review.namespaceObject ?? (await namespaceNamed(namespace, circumstances))
  return selectsLabels(selector, new Map([...labelsOf(found), [NAME_LABEL, namespace]]))
}

async function namespaceNamed(name: string, { cluster, signal }: Circumstances): Promise<JsonObject> {
  const list = { apiVersion: 'v1', resource: 'namespaces', namespace: undefined }
  const found = await cluster.get(list, name, signal)
  return isJsonObject(found) ? found : {}
}

/** For `policy explain`: a line a rule. */
export function explainResources({ scope }: MatchResources): readonly string[] {
  const { rules, excluded, namespaceSelector, objectSelector } = scope
  const conditions = [
    ...(namespaceSelector === undefined ? [] : ['in selected namespaces']),
    ...(objectSelector === undefined ? [] : ['with selected labels']),
    ...(excluded.length === 0 ? [] : [`but not ${excluded.map(explainRule).join(', nor ')}`]),
  ]
  return rules.map((rule) => [explainRule(rule), ...conditions].join(' '))
}

function explainRule({ operations, resources, apiGroups, resourceNames }: ScopeRule): string {
  const groups = apiGroups.filter((group) => group !== '')
  const of = groups.length === 0 ? '' : ` of ${groups.join(', ')}`
  const named = resourceNames.length === 0 ? '' : ` named ${resourceNames.join(', ')}`
  return `${operations.join(', ')} of ${resources.join(', ')}${of}${named}`
}
