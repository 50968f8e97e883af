/** Rules about pods, written out for what makes pods: `autogen-…` and `autogen-cronjob-…`. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'

/** Which annotation says for which controllers. */
export const AUTOGEN_ANNOTATION = 'pod-policies.kyverno.io/autogen-controllers'

/** The controllers by the kinds that policies name, as rules name them. */
const CONTROLLERS: ReadonlyMap<string, string> = new Map([
  ['DaemonSet', 'apps/v1/DaemonSet'],
  ['Deployment', 'apps/v1/Deployment'],
  ['Job', 'batch/v1/Job'],
  ['StatefulSet', 'apps/v1/StatefulSet'],
  ['ReplicaSet', 'apps/v1/ReplicaSet'],
  ['ReplicationController', 'v1/ReplicationController'],
])
const CRON_JOB = 'CronJob'
const CRON_JOB_KIND = 'batch/v1/CronJob'
const PREFIX = 'autogen-'
const MAX_NAME = 63

/** A rule as it is to be read, and what it is called in complaints. */
export interface WrittenRule {
  readonly rule: JsonObject
  readonly path: string
}

/**
 * The rules of a policy with those that follow from them. A rule that already has the name of one that would follow stands for it;
 * the original leaves every rule named so out.
 */
export function withGeneratedRules(
  rules: readonly WrittenRule[],
  annotation: string | undefined,
): readonly WrittenRule[] {
  const controllers = chosenControllers(rules, annotation)
  if (controllers.size === 0) return rules
  const known = new Set(rules.map(({ rule }) => rule['name']))
  const generated = rules
    .flatMap((written) => generatedFrom(written, controllers))
    .filter(({ rule }) => !known.has(rule['name']))
  return [...rules, ...generated]
}

/** None where a rule names resources in ways that controllers cannot be named in. */
function chosenControllers(rules: readonly WrittenRule[], annotation: string | undefined): ReadonlySet<string> {
  const blocks = rules.flatMap(({ rule }) => [...blocksOf(rule['match']), ...blocksOf(rule['exclude'])])
  const resources = blocks.map(({ resources }) => (isJsonObject(resources) ? resources : {}))
  const supported = !rules.some(({ rule }) => isUnsupported(rule)) && resources.every(isGeneral)
  const needed = resources.some((each) => kindsOf(each).some((kind) => kind === 'Pod' || isController(kind)))
  if (!supported || !needed) return new Set()
  if (annotation === undefined || annotation.trim() === 'all') return new Set([...CONTROLLERS.keys(), CRON_JOB])
  const named = annotation.split(',').map((name) => name.trim())
  return new Set(named.includes('all') ? [...CONTROLLERS.keys(), CRON_JOB] : named.filter(isController))
}

function isController(kind: string): boolean {
  return kind === CRON_JOB || CONTROLLERS.has(kind)
}

function isUnsupported({ generate, mutate }: JsonObject): boolean {
  if (generate !== undefined && generate !== null) return true
  if (!isJsonObject(mutate)) return false
  const { patchesJson6902, foreach } = mutate
  if (patchesJson6902 !== undefined) return true
  return (
    Array.isArray(foreach) &&
    (foreach as readonly JsonValue[]).some((each) => isJsonObject(each) && each['patchesJson6902'] !== undefined)
  )
}

/** Names, labels and annotations of a pod are not those of what makes it; kinds beside pods were named on purpose. */
function isGeneral(resources: JsonObject): boolean {
  const kinds = kindsOf(resources)
  const named = ['name', 'names', 'selector', 'annotations'].some((field) => isGiven(resources[field]))
  return !named && !(kinds.length > 1 && kinds.some(isPod))
}

function isGiven(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== '' && !(Array.isArray(value) && value.length === 0)
}

function blocksOf(match: JsonValue | undefined): readonly JsonObject[] {
  if (!isJsonObject(match)) return []
  const lists = [match['any'], match['all']].flatMap((list) => (Array.isArray(list) ? (list as JsonValue[]) : []))
  return [match, ...lists].filter(isJsonObject)
}

function kindsOf({ kinds }: JsonObject): readonly string[] {
  return Array.isArray(kinds) ? (kinds as readonly JsonValue[]).filter((kind) => typeof kind === 'string') : []
}

/** `Pod`, `v1/Pod`, `Pod/ephemeralcontainers`. */
function isPod(kind: string): boolean {
  return /^(?:(?:\*|v\d\w*)\/)?Pod(?:[./]|$)/.test(kind)
}

function generatedFrom({ rule, path }: WrittenRule, controllers: ReadonlySet<string>): readonly WrittenRule[] {
  const { name } = rule
  const about = blocksOf(rule['match']).flatMap(({ resources }) => (isJsonObject(resources) ? kindsOf(resources) : []))
  const except = blocksOf(rule['exclude']).flatMap(({ resources }) =>
    isJsonObject(resources) ? kindsOf(resources) : [],
  )
  if (typeof name !== 'string' || name.startsWith(PREFIX) || !about.some(isPod)) return []
  if (except.length > 0 && !except.some(isPod)) return []
  const kinds = [...controllers].flatMap((kind) => CONTROLLERS.get(kind) ?? [])
  const ofControllers = generated(rule, { name: `${PREFIX}${name}`, kinds, template: 'spec.template', every: false })
  const ofCronJobs = generated(rule, {
    name: `${PREFIX}cronjob-${name}`,
    kinds: [CRON_JOB_KIND],
    template: 'spec.jobTemplate.spec.template',
    every: true,
  })
  return [
    ...(kinds.length === 0 ? [] : [{ rule: ofControllers, path }]),
    ...(controllers.has(CRON_JOB) ? [{ rule: ofCronJobs, path }] : []),
  ]
}

interface Generation {
  readonly name: string
  readonly kinds: readonly string[]
  /** Where the pod is in them. */
  readonly template: string
  /** Whether every block of `match` is about these kinds then, and not only those about pods. */
  readonly every: boolean
}

function generated(rule: JsonObject, { name, kinds, template, every }: Generation): JsonObject {
  const { imageExtractors: _, ...rest } = rule
  const moved = Object.fromEntries(Object.entries(rest).map(([field, value]) => [field, inTemplate(value, template)]))
  const { match, exclude } = moved
  return {
    ...moved,
    name: name.slice(0, MAX_NAME),
    match: isJsonObject(match) ? withKinds(match, kinds, every ? () => true : isAboutPods) : (match ?? null),
    ...(isJsonObject(exclude) ? { exclude: withKinds(exclude, kinds, isAboutPods) } : {}),
  }
}

function isAboutPods(kinds: readonly string[]): boolean {
  return kinds.some(isPod)
}

/** What is said of the pod is said of the pod in the template. */
function inTemplate(value: JsonValue, template: string): JsonValue {
  if (typeof value === 'string')
    return value.replace(/request\.(object|oldObject)\.(spec|metadata)/g, `request.$1.${template}.$2`)
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((each) => inTemplate(each, template))
  const entries = Object.entries(value as JsonObject)
  return Object.fromEntries(
    entries.map(([name, each]) => [inTemplate(name, template) as string, inTemplate(each, template)]),
  )
}

/** Names other kinds in the blocks that are chosen by those that they name. */
function withKinds(
  match: JsonObject,
  kinds: readonly string[],
  chosen: (kinds: readonly string[]) => boolean,
): JsonObject {
  const ofBlock = (block: JsonValue): JsonValue => {
    if (!isJsonObject(block)) return block
    const resources = isJsonObject(block['resources']) ? block['resources'] : {}
    return chosen(kindsOf(resources)) ? { ...block, resources: { ...resources, kinds } } : block
  }
  const { any, all } = match
  if (Array.isArray(any) && any.length > 0) return { ...match, any: (any as readonly JsonValue[]).map(ofBlock) }
  if (Array.isArray(all) && all.length > 0) return { ...match, all: (all as readonly JsonValue[]).map(ofBlock) }
  return ofBlock(match) as JsonObject
}
