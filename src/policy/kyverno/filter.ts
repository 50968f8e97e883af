/** One block of `match` or `exclude`: resources, and who asks for them. All of it must hold. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject } from '#encoding/json'
import type { Circumstances } from '../internal/cluster.js'
import type { Fields } from '../internal/fields.js'
import { labelsOf } from '../internal/label-selector.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Operation, Review } from '../internal/review.js'
import { forbidden, guarded, invalidValue, required } from './complain.js'
import { isOfKind, parseKindSelector } from './kinds.js'
import type { KindSelector } from './kinds.js'
import { hasPairs, isLabelled, readLabelPattern, readPairs } from './labels.js'
import type { LabelPattern, PairPattern } from './labels.js'
import { rolesOf } from './roles.js'
import { readWildcard, readWildcards, wildcard } from './wildcard.js'
import type { Wildcard } from './wildcard.js'

/** A person, a group or a service account. */
interface SubjectPattern {
  readonly kind: 'User' | 'Group' | 'ServiceAccount'
  readonly name: Wildcard
}

/** What is empty asks nothing. */
export interface ResourceFilter {
  readonly kinds: readonly KindSelector[]
  readonly names: readonly Wildcard[]
  readonly namespaces: readonly Wildcard[]
  readonly annotations: readonly PairPattern[]
  readonly selector: LabelPattern | undefined
  readonly namespaceSelector: LabelPattern | undefined
  readonly operations: readonly Operation[]
  readonly subjects: readonly SubjectPattern[]
  readonly roles: readonly string[]
  readonly clusterRoles: readonly string[]
}

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const satisfies readonly Operation[]
const SUBJECT_KINDS = ['User', 'Group', 'ServiceAccount'] as const
const RESOURCE_FIELDS = [
  'kinds',
  'name',
  'names',
  'namespaces',
  'annotations',
  'selector',
  'namespaceSelector',
  'operations',
] as const
export const USER_FIELDS = ['subjects', 'roles', 'clusterRoles'] as const

/** Reads `resources` and the fields about users beside it. */
export function readFilter(fields: Fields, namespaced: boolean): ResourceFilter {
  const resources = fields.object('resources')?.only(...RESOURCE_FIELDS)
  const user = {
    subjects: fields.objects('subjects').flatMap(readSubject),
    roles: readRoles(fields),
    clusterRoles: fields.texts('clusterRoles'),
  }
  return { ...(resources === undefined ? NO_RESOURCES : readResources(resources, namespaced)), ...user }
}

type Resources = Omit<ResourceFilter, (typeof USER_FIELDS)[number]>

const NO_RESOURCES: Resources = {
  kinds: [],
  names: [],
  namespaces: [],
  annotations: [],
  selector: undefined,
  namespaceSelector: undefined,
  operations: [],
}

function readResources(fields: Fields, namespaced: boolean): Resources {
  const name = fields.text('name')
  if (name !== undefined && fields.texts('names').length > 0)
    invalidValue(fields, 'Both name and names can not be specified together')
  if (namespaced && fields.texts('namespaces').length > 0)
    forbidden(fields, 'namespaces', 'Filtering namespaces not allowed in namespaced policies')
  const [selector, namespaceSelector] = [fields.object('selector'), fields.object('namespaceSelector')]
  return {
    kinds: fields.texts('kinds').flatMap((text) => readKind(fields, text)),
    names: [...(name === undefined ? [] : readWildcard(fields, 'name', name)), ...readWildcards(fields, 'names')],
    namespaces: readWildcards(fields, 'namespaces'),
    annotations: readPairs(fields, 'annotations', fields.textMap('annotations')),
    selector: selector === undefined ? undefined : readLabelPattern(selector),
    namespaceSelector: namespaceSelector === undefined ? undefined : readLabelPattern(namespaceSelector),
    operations: fields.texts('operations').flatMap((text) => {
      const operation = OPERATIONS.find((each) => each === text)
      if (operation === undefined) invalidValue(fields, `expected some of ${OPERATIONS.join(', ')}`, 'operations')
      return operation ?? []
    }),
  }
}

function readKind(fields: Fields, text: string): readonly KindSelector[] {
  if (text === '*') invalidValue(fields, 'wildcard policy does not support rule type', 'kinds')
  const selector = guarded(fields, 'kinds', () => parseKindSelector(text.trim()))
  if (selector === undefined) invalidValue(fields, 'expected kinds such as Pod, v1/Pod or apps/v1/Deployment', 'kinds')
  return selector === undefined ? [] : [selector]
}

function readSubject(fields: Fields): readonly SubjectPattern[] {
  fields.only('kind', 'name', 'namespace', 'apiGroup')
  const [kind, name, namespace] = [fields.text('kind'), fields.text('name'), fields.text('namespace')]
  const known = SUBJECT_KINDS.find((each) => each === kind)
  if (kind === undefined) required(fields, 'kind', '')
  else if (known === undefined) invalidValue(fields, "kind must be 'User', 'Group', or 'ServiceAccount'", 'kind')
  if (name === undefined) required(fields, 'name', '')
  if (known === 'ServiceAccount' && namespace === undefined)
    required(fields, 'namespace', 'namespace is required when Kind is ServiceAccount')
  if (known === undefined || name === undefined) return []
  const full = known === 'ServiceAccount' ? `system:serviceaccount:${namespace ?? ''}:${name}` : name
  const pattern = guarded(fields, 'name', () => wildcard(full))
  return pattern === undefined ? [] : [{ kind: known, name: pattern }]
}

function readRoles(fields: Fields): readonly string[] {
  const roles = fields.texts('roles')
  if (roles.some((role) => role.split(':').length !== 2))
    invalidValue(fields, 'Role is expected to be in namespace:name format', 'roles')
  return roles
}

/** Whether a filter asks who the user is. */
export function asksForUser({ subjects, roles, clusterRoles }: ResourceFilter): boolean {
  return subjects.length + roles.length + clusterRoles.length > 0
}

/** Whether a filter asks anything. */
export function isEmptyFilter(filter: ResourceFilter): boolean {
  const { kinds, names, namespaces, annotations, selector, namespaceSelector, operations } = filter
  const lists = [kinds, names, namespaces, annotations, operations].every((list) => list.length === 0)
  return lists && selector === undefined && namespaceSelector === undefined && !asksForUser(filter)
}

/**
 * Whether all of a filter holds. What costs a question to the cluster is asked last.
 * @throws PolicyError `POLICY_CLUSTER`
 */
export function isFiltered(
  filter: ResourceFilter,
  review: Review,
  circumstances: Circumstances,
): boolean | Promise<boolean> {
  if (!isResource(filter, review)) return false
  const { namespaceSelector } = filter
  if (namespaceSelector === undefined && !asksForUser(filter)) return true
  return isOfNamespaceAndUser(filter, review, circumstances)
}

async function isOfNamespaceAndUser(
  filter: ResourceFilter,
  review: Review,
  circumstances: Circumstances,
): Promise<boolean> {
  const { namespaceSelector } = filter
  if (namespaceSelector !== undefined) {
    const labels = await namespaceLabels(review, circumstances)
    if (labels === undefined || !isLabelled(namespaceSelector, labels)) return false
  }
  return await isByUser(filter, review, circumstances)
}

function isResource(filter: ResourceFilter, review: Review): boolean {
  const { operations, kinds, names, namespaces, annotations, selector } = filter
  const { object, name, namespace = '' } = review
  const home = review.kind.kind === 'Namespace' ? name : namespace
  return (
    (operations.length === 0 || operations.includes(review.operation)) &&
    (kinds.length === 0 || kinds.some((kind) => isOfKind(kind, review))) &&
    (names.length === 0 || names.some((each) => each.matches(name))) &&
    (namespaces.length === 0 || namespaces.some((each) => each.matches(home))) &&
    (annotations.length === 0 || hasPairs(annotations, annotationsOf(object))) &&
    (selector === undefined || isLabelled(selector, labelsOf(object)))
  )
}

function annotationsOf({ metadata }: JsonObject): ReadonlyMap<string, string> {
  const texts = isJsonObject(metadata) ? metadata['annotations'] : undefined
  if (!isJsonObject(texts)) return new Map()
  return new Map(Object.entries(texts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}

/** Undefined for what is in no namespace, and for namespaces themselves. */
async function namespaceLabels(
  review: Review,
  { cluster, signal }: Circumstances,
): Promise<ReadonlyMap<string, string> | undefined> {
  const { namespace, namespaceObject, kind } = review
  if (kind.kind === 'Namespace' || namespace === undefined) return undefined
  if (namespaceObject !== undefined) return labelsOf(namespaceObject)
  const found = await cluster.get({ apiVersion: 'v1', resource: 'namespaces', namespace: undefined }, namespace, signal)
  if (found !== undefined) return labelsOf(found)
  throw new PolicyError('POLICY_CLUSTER', `there is no namespace ${namespace}, whose labels a policy asks for`)
}

async function isByUser(filter: ResourceFilter, review: Review, circumstances: Circumstances): Promise<boolean> {
  const { subjects, roles, clusterRoles } = filter
  const { user } = review
  if (!asksForUser(filter)) return true
  if (user === undefined) return false
  const { username, groups } = user
  const isSubject = ({ kind, name }: SubjectPattern): boolean =>
    kind === 'Group' ? groups.some((group) => name.matches(group)) : name.matches(username)
  if (subjects.length > 0 && !subjects.some(isSubject)) return false
  if (roles.length + clusterRoles.length === 0) return true
  const has = await rolesOf(user, review, circumstances)
  return (
    (roles.length === 0 || roles.some((role) => has.roles.has(role))) &&
    (clusterRoles.length === 0 || clusterRoles.some((role) => has.clusterRoles.has(role)))
  )
}
