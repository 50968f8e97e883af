/** A resource from a file as if it were being created. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject } from '#encoding/json'
import { Complaints, Fields } from './fields.js'
import type { Operation, Review } from './review.js'

const OPERATIONS = ['CREATE', 'UPDATE', 'DELETE', 'CONNECT'] as const satisfies readonly Operation[]

/** Kinds whose plural is not made by adding an `s`. */
const PLURALS: ReadonlyMap<string, string> = new Map([
  ['Ingress', 'ingresses'],
  ['NetworkPolicy', 'networkpolicies'],
  ['StorageClass', 'storageclasses'],
])

const CLUSTER_SCOPED = new Set(['Namespace', 'Node', 'ClusterRole', 'ClusterRoleBinding', 'PersistentVolume'])

/**
 * Reads a resource, or an AdmissionReview with its circumstances.
 * @throws PolicyError `POLICY_FIELD`
 */
export function reviewOfResource(document: JsonObject): Review {
  const { kind, apiVersion } = document
  const isReview =
    kind === 'AdmissionReview' && typeof apiVersion === 'string' && apiVersion.startsWith('admission.k8s.io/')
  const complaints = new Complaints()
  const fields = new Fields(document, '', complaints)
  const review = isReview ? fromRequest(fields) : fromResource(fields)
  complaints.throwIfAny('the resource cannot be read: ')
  return review
}

/** JSON that is no resource, for policies that are about such. */
export function reviewOfPayload(payload: JsonObject): Review {
  return {
    operation: 'CREATE',
    kind: { group: '', version: '', kind: '' },
    resource: { group: '', version: '', resource: '' },
    name: '',
    object: payload,
  }
}

function fromResource(fields: Fields): Review {
  const [kind, apiVersion] = [fields.text('kind'), fields.text('apiVersion')]
  if (kind === undefined) fields.complaints.missing('kind')
  if (apiVersion === undefined) fields.complaints.missing('apiVersion')
  const { group, version } = splitVersion(apiVersion ?? '')
  const metadata = fields.object('metadata')
  const namespace = CLUSTER_SCOPED.has(kind ?? '') ? undefined : (metadata?.text('namespace') ?? 'default')
  return {
    operation: 'CREATE',
    kind: { group, version, kind: kind ?? '' },
    resource: { group, version, resource: pluralOf(kind ?? '') },
    name: metadata?.text('name') ?? metadata?.text('generateName') ?? '',
    ...(namespace === undefined ? {} : { namespace }),
    object: withNamespace(fields.value, namespace),
  }
}

/** An API server writes the namespace into what it is given without one. */
function withNamespace(object: JsonObject, namespace: string | undefined): JsonObject {
  const { metadata } = object
  if (namespace === undefined || !isJsonObject(metadata) || metadata['namespace'] !== undefined) return object
  return { ...object, metadata: { ...metadata, namespace } }
}

function fromRequest(top: Fields): Review {
  const request = top.object('request')
  if (request === undefined) {
    top.complaints.missing('request')
    return fromResource(top)
  }
  const object = request.get('object') ?? request.get('oldObject')
  if (!isJsonObject(object)) top.complaints.missing('request.object')
  const inner = fromResource(new Fields(isJsonObject(object) ? object : {}, 'request.object', new Complaints()))
  const resource = request.object('resource')
  const kind = request.object('kind')
  const subresource = request.text('subResource')
  const oldObject = request.object('oldObject')?.value
  const namespace = request.text('namespace')
  const user = request.object('userInfo')
  return {
    ...inner,
    object: isJsonObject(object) ? object : {},
    operation: OPERATIONS.find((known) => known === request.text('operation')) ?? 'CREATE',
    kind: kind === undefined ? inner.kind : { ...groupVersion(kind), kind: kind.text('kind') ?? '' },
    resource: {
      ...(resource === undefined
        ? inner.resource
        : { ...groupVersion(resource), resource: resource.text('resource') ?? '' }),
      ...(subresource === undefined ? {} : { subresource }),
    },
    name: request.text('name') ?? inner.name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(oldObject === undefined ? {} : { oldObject }),
    ...(user === undefined
      ? {}
      : { user: { username: user.text('username') ?? '', groups: user.texts('groups'), roles: [], clusterRoles: [] } }),
    request: request.value,
  }
}

function groupVersion(fields: Fields): { readonly group: string; readonly version: string } {
  return { group: fields.text('group') ?? '', version: fields.text('version') ?? '' }
}

function splitVersion(apiVersion: string): { readonly group: string; readonly version: string } {
  const slash = apiVersion.indexOf('/')
  return slash < 0
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) }
}

/** The plural by which the API server names a kind. */
export function pluralOf(kind: string): string {
  return PLURALS.get(kind) ?? `${kind.toLowerCase()}s`
}
