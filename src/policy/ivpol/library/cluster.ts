/** Resources of the cluster, and what global context entries hold. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { evaluationError } from '../../cel/cel-error.js'
import { member } from '../../cel/environment.js'
import type { Library, Overload, World } from '../../cel/environment.js'
import { fromJson, toJson } from '../../cel/json.js'
import { dyn, map, opaqueKind, string } from '../../cel/kind.js'
import type { CelType } from '../../cel/types.js'
import { Opaque } from '../../cel/values.js'
import type { CelMap, Outcome } from '../../cel/values.js'
import type { ResourceList } from '../../internal/cluster.js'
import { labelsOf } from '../../internal/label-selector.js'
import { pluralOf } from '../../internal/review-of-resource.js'
import { Namespace, surroundingsOf } from '../contexts.js'

/** A kind's resource, as `resource.toGVR` gives it. */
class ResourceName extends Opaque {
  override readonly typeName = 'schema.GroupVersionResource'
  readonly apiVersion: string
  readonly resource: string

  constructor(apiVersion: string, resource: string) {
    super()
    this.apiVersion = apiVersion
    this.resource = resource
  }

  override equals(other: Opaque): boolean {
    return other instanceof ResourceName && other.apiVersion === this.apiVersion && other.resource === this.resource
  }
}

const context = opaqueKind('resource.Context', Namespace)
const gvr = opaqueKind('schema.GroupVersionResource', ResourceName)
const object = map(string, dyn)
const labels = map(string, string)

export const RESOURCE_CONTEXT: { readonly type: CelType; readonly value: Namespace } = {
  type: context.type,
  value: new Namespace('resource.Context'),
}

interface Of {
  readonly apiVersion: string
  readonly resource: string
  /** Empty: of the whole cluster. */
  readonly namespace: string
  /** Whether it is the policy's own, which sees nothing else. */
  readonly own?: true
}

const API_VERSION = /^(?:[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?\/)?v[a-z0-9]+$/
const PART = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/
/** Names of objects: some hold more than letters, as `system:node`; none what separates parts of an address. */
const NAME = /^(?:(?![/\\?#%])[!-~])+$/

/** Names and nothing else: with a slash, a dot or a question mark too many, an address leads out of the namespace of the policy. */
function checked(of: Of): Of {
  const { apiVersion, resource, namespace, own } = of
  if (!API_VERSION.test(apiVersion) || !PART.test(resource) || (namespace !== '' && !PART.test(namespace)))
    throw evaluationError('not a resource of the Kubernetes API', {
      expected: 'such as "apps/v1", "deployments", "default"',
      found: JSON.stringify([apiVersion, resource, namespace]).slice(0, 200),
    })
  // The gate may, for the sake of pulling images; whoever writes policies for a namespace need not be allowed to.
  if (own === true && resource === 'secrets') throw evaluationError('a namespaced policy does not read Secrets')
  return of
}

function listOf(of: Of): ResourceList {
  const { apiVersion, resource, namespace } = checked(of)
  return { apiVersion, resource, namespace: namespace === '' ? undefined : namespace }
}

function get(of: Of, name: string, world: World): Outcome {
  const { cluster, signal } = surroundingsOf(world).circumstances
  const at = listOf(of)
  if (!NAME.test(name) || name === '.' || name === '..')
    throw evaluationError('not a name of an object', { found: JSON.stringify(name).slice(0, 200) })
  return world.asks.ask(`get ${JSON.stringify([of, name])}`, async () => {
    const found = await cluster.get(at, name, signal)
    return found === undefined ? null : fromJson(found)
  })
}

function list(of: Of, selector: CelMap | undefined, world: World): Outcome {
  const { cluster, signal } = surroundingsOf(world).circumstances
  const wanted = selector === undefined ? undefined : textsOf(selector)
  const at = listOf(of)
  return world.asks.ask(`list ${JSON.stringify([of, wanted])}`, async () => {
    const all = await cluster.list(at, signal)
    const items = all.filter((item) => {
      const has = labelsOf(item)
      return (wanted ?? []).every(([name, value]) => has.get(name) === value)
    })
    return fromJson({ apiVersion: of.apiVersion, kind: listKind(items), metadata: {}, items })
  })
}

function listKind([first]: readonly JsonObject[]): string {
  const kind = first?.['kind']
  return typeof kind === 'string' ? `${kind}List` : 'List'
}

function textsOf(selector: CelMap): readonly (readonly [string, string])[] {
  return selector.keys().map((key) => {
    const value = selector.get(key)
    if (typeof key === 'string' && typeof value === 'string') return [key, value]
    throw evaluationError('labels are texts')
  })
}

/** Creates what answers at once and is kept nowhere, such as a review of access; what else a cluster lets be created, it says. */
function post(of: Of, body: CelMap, world: World): Outcome {
  const { apiVersion, resource, namespace } = checked(of)
  const { cluster, signal } = surroundingsOf(world).circumstances
  const json = toJson(body, world.budget)
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  const path = [root, ...(namespace === '' ? [] : ['namespaces', namespace]), resource]
  return world.asks.ask(`post ${JSON.stringify([path, json])}`, async () => {
    const answer: JsonValue = await cluster.call(path.join('/'), { method: 'POST', body: json }, signal)
    return fromJson(isJsonObject(answer) ? answer : {})
  })
}

const toResource: readonly Overload[] = [
  member([context, string, string], gvr, ([, apiVersion, kind]) => new ResourceName(apiVersion, pluralOf(kind))),
]

interface Functions {
  readonly get: readonly Overload[]
  readonly list: readonly Overload[]
  readonly post: readonly Overload[]
}

/** Of policies for the whole cluster: the namespace is an argument, and may be empty. */
const CLUSTER: Functions = {
  get: [
    member([context, string, string, string, string], object, ([, apiVersion, resource, namespace, name], world) =>
      get({ apiVersion, resource, namespace }, name, world),
    ),
    member([context, gvr, string, string], object, ([, of, namespace, name], world) =>
      get({ ...nameOf(of), namespace }, name, world),
    ),
  ],
  list: [
    member([context, string, string, string], object, ([, apiVersion, resource, namespace], world) =>
      list({ apiVersion, resource, namespace }, undefined, world),
    ),
    member([context, string, string, string, labels], object, ([, apiVersion, resource, namespace, of], world) =>
      list({ apiVersion, resource, namespace }, of, world),
    ),
    member([context, gvr, string], object, ([, of, namespace], world) =>
      list({ ...nameOf(of), namespace }, undefined, world),
    ),
    member([context, gvr, string, labels], object, ([, of, namespace, selector], world) =>
      list({ ...nameOf(of), namespace }, selector, world),
    ),
  ],
  post: [
    member([context, string, string, string, object], object, ([, apiVersion, resource, namespace, body], world) =>
      post({ apiVersion, resource, namespace }, body, world),
    ),
    member([context, string, string, object], object, ([, apiVersion, resource, body], world) =>
      post({ apiVersion, resource, namespace: '' }, body, world),
    ),
  ],
}

/** Of policies of one namespace, which see nothing else. */
function namespaced(namespace: string): Functions {
  const own = { namespace, own: true } as const
  return {
    get: [
      member([context, string, string, string], object, ([, apiVersion, resource, name], world) =>
        get({ apiVersion, resource, ...own }, name, world),
      ),
      member([context, gvr, string], object, ([, of, name], world) => get({ ...nameOf(of), ...own }, name, world)),
    ],
    list: [
      member([context, string, string], object, ([, apiVersion, resource], world) =>
        list({ apiVersion, resource, ...own }, undefined, world),
      ),
      member([context, string, string, labels], object, ([, apiVersion, resource, of], world) =>
        list({ apiVersion, resource, ...own }, of, world),
      ),
      member([context, gvr], object, ([, of], world) => list({ ...nameOf(of), ...own }, undefined, world)),
      member([context, gvr, labels], object, ([, of, selector], world) =>
        list({ ...nameOf(of), ...own }, selector, world),
      ),
    ],
    post: [
      member([context, string, string, object], object, ([, apiVersion, resource, body], world) =>
        post({ apiVersion, resource, ...own }, body, world),
      ),
    ],
  }
}

function nameOf({ apiVersion, resource }: ResourceName): { readonly apiVersion: string; readonly resource: string } {
  return { apiVersion, resource }
}

/** `resource.get` and its kin, by both of their spellings. */
export function resources(namespace: string | undefined): Library {
  const functions = namespace === undefined ? CLUSTER : namespaced(namespace)
  return {
    Get: functions.get,
    get: functions.get,
    List: functions.list,
    list: functions.list,
    Post: functions.post,
    post: functions.post,
    ToGVR: toResource,
    toGVR: toResource,
  }
}

const globalContext = opaqueKind('globalcontext.Context', Namespace)

export const GLOBAL_CONTEXT: { readonly type: CelType; readonly value: Namespace } = {
  type: globalContext.type,
  value: new Namespace('globalcontext.Context'),
}

function entry(name: string, projection: string | undefined, world: World): Outcome {
  const { cluster, signal } = surroundingsOf(world).circumstances
  return world.asks.ask(`global context ${JSON.stringify([name, projection])}`, async () =>
    fromJson(await cluster.globalContext(name, projection === '' ? undefined : projection, signal)),
  )
}

const entries: readonly Overload[] = [
  member([globalContext, string], dyn, ([, name], world) => entry(name, undefined, world)),
  member([globalContext, string, string], dyn, ([, name, projection], world) => entry(name, projection, world)),
]

export const GLOBAL_CONTEXTS: Library = { Get: entries, get: entries }
