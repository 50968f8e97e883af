/** Policies on pods, made into policies on what makes pods: what they say of `object.spec` they say of its template. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { MatchCondition } from '../cel/match-conditions.js'
import { Complaints, Fields } from '../internal/fields.js'

/** A kind that makes pods. */
export interface Target {
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly kind: string
}

const PODS: Target = { group: '', version: 'v1', resource: 'pods', kind: 'Pod' }

const target = (group: string, resource: string, kind: string): Target => ({ group, version: 'v1', resource, kind })

/** Names by which policies call controllers, and where each has its template. */
const CONTROLLERS: ReadonlyMap<string, { readonly config: Config; readonly target: Target }> = new Map([
  ['daemonsets', { config: 'defaults', target: target('apps', 'daemonsets', 'DaemonSet') }],
  ['deployments', { config: 'defaults', target: target('apps', 'deployments', 'Deployment') }],
  ['replicasets', { config: 'defaults', target: target('apps', 'replicasets', 'ReplicaSet') }],
  ['statefulsets', { config: 'defaults', target: target('apps', 'statefulsets', 'StatefulSet') }],
  ['jobs', { config: 'defaults', target: target('batch', 'jobs', 'Job') }],
  ['cronjobs', { config: 'cronjobs', target: target('batch', 'cronjobs', 'CronJob') }],
])

type Config = 'defaults' | 'cronjobs'

const TEMPLATES: Readonly<Record<Config, string>> = {
  defaults: 'spec.template',
  cronjobs: 'spec.jobTemplate.spec.template',
}

/** A specification made from one about pods. */
export interface GeneratedSpec {
  readonly config: Config
  readonly targets: readonly Target[]
  readonly spec: JsonObject
}

/** What follows from a specification about pods; nothing from any other, or where its author wants none. */
export function generatedSpecs(spec: JsonObject): readonly GeneratedSpec[] {
  const fields = new Fields(spec, '', new Complaints())
  const constraints = fields.object('matchConstraints')
  if (constraints === undefined || !isAboutPods(constraints)) return []
  const given = fields.object('autogen')?.object('podControllers')
  const names = given?.has('controllers') === true ? given.texts('controllers') : [...CONTROLLERS.keys()]
  return (['cronjobs', 'defaults'] as const).flatMap((config) => {
    const targets = [...CONTROLLERS]
      .filter(([name, controller]) => names.includes(name) && controller.config === config)
      .map(([, controller]) => controller.target)
      .sort((a, b) => compareTexts(`${a.group} ${a.resource}`, `${b.group} ${b.resource}`))
    return targets.length === 0 ? [] : [{ config, targets, spec: generate(spec, config, targets) }]
  })
}

/** About pods and nothing else, and about none by name or label. */
function isAboutPods(constraints: Fields): boolean {
  const selector = constraints.object('objectSelector')
  const hasLabels = ['matchLabels', 'matchExpressions'].some((name) => {
    const value = selector?.get(name)
    return typeof value === 'object' && value !== null && Object.keys(value).length > 0
  })
  const [rule, ...others] = constraints.objects('resourceRules')
  if (rule === undefined || others.length > 0 || hasLabels) return false
  if (constraints.objects('excludeResourceRules').length > 0 || rule.texts('resourceNames').length > 0) return false
  return isOnly(rule, 'apiGroups', '') && isOnly(rule, 'apiVersions', 'v1') && isOnly(rule, 'resources', 'pods')
}

function isOnly(rule: Fields, name: string, text: string): boolean {
  const [only, ...others] = rule.texts(name)
  return only === text && others.length === 0
}

function generate(spec: JsonObject, config: Config, targets: readonly Target[]): JsonObject {
  const constraints = isJsonObject(spec['matchConstraints']) ? spec['matchConstraints'] : {}
  const [rule] = new Fields(constraints, '', new Complaints()).objects('resourceRules')
  const operations = rule?.get('operations') ?? []
  const { namespaceSelector } = constraints
  const groups = [...new Set(targets.map(({ group }) => group))]
  const matchConstraints = {
    resourceRules: groups.map((group) => ({
      apiGroups: [group],
      apiVersions: ['v1'],
      resources: targets.filter((each) => each.group === group).map(({ resource }) => resource),
      operations,
    })),
    ...(namespaceSelector === undefined ? {} : { namespaceSelector }),
  }
  const rewrittenSpec = rewritten({ ...spec, matchConstraints }, TEMPLATES[config])
  return isJsonObject(rewrittenSpec) ? rewrittenSpec : {}
}

/** The namespace stands in the controller itself: a template has none. */
const ROOTS = /\b(object|oldObject)\.(spec|metadata)(?!\.namespace(?![A-Za-z0-9_]))/g

function rewritten(value: JsonValue, template: string): JsonValue {
  if (typeof value === 'string') return value.replace(ROOTS, `$1.${template}.$2`)
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((each) => rewritten(each, template))
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, rewritten(each, template)]))
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Conditions for a webhook that is about pods and controllers alike: each holds only for what it was written for. */
export function webhookConditions(
  generated: Pick<GeneratedSpec, 'config' | 'targets'> | undefined,
  conditions: readonly MatchCondition[],
): readonly MatchCondition[] {
  const { config, targets } = generated ?? { config: undefined, targets: [PODS] }
  const kinds = targets.map(({ group, version, kind }) => {
    const apiVersion = group === '' ? version : `${group}/${version}`
    return `(object.apiVersion == '${apiVersion}' && object.kind =='${kind}')`
  })
  const about = kinds.sort(compareTexts).join(' || ')
  const prefix = config === undefined ? 'autogen' : `autogen-${config}`
  return conditions.map(({ name, expression }) => ({
    name: `${prefix}-${name}`,
    expression: `!(${about}) || (${expression})`,
  }))
}
