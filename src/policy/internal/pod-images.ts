/** Where resources that run pods name images. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Review } from './review.js'

/** A place with an image's name, not read yet. */
export interface ImagePlace {
  readonly group: string
  readonly name: string
  readonly path: string
  readonly pointer: string
  /** What stands there; not always a text. */
  readonly value: JsonValue | undefined
}

/** Kind → path of the pod specification. */
const POD_SPECS: ReadonlyMap<string, readonly string[]> = new Map([
  ['Pod', ['spec']],
  ['PodTemplate', ['template', 'spec']],
  ['Deployment', ['spec', 'template', 'spec']],
  ['ReplicaSet', ['spec', 'template', 'spec']],
  ['ReplicationController', ['spec', 'template', 'spec']],
  ['StatefulSet', ['spec', 'template', 'spec']],
  ['DaemonSet', ['spec', 'template', 'spec']],
  ['Job', ['spec', 'template', 'spec']],
  ['CronJob', ['spec', 'jobTemplate', 'spec', 'template', 'spec']],
])

/** The pod specification of a resource that has one, with its path. */
export function podSpec(
  kind: string,
  object: JsonObject,
): { readonly path: readonly string[]; readonly spec: JsonObject } | undefined {
  const path = POD_SPECS.get(kind)
  if (path === undefined) return undefined
  let at: JsonValue | undefined = object
  for (const name of path) at = isJsonObject(at) ? at[name] : undefined
  return isJsonObject(at) ? { path, spec: at } : undefined
}

const CONTAINERS = ['initContainers', 'containers', 'ephemeralContainers'] as const

/**
 * Every place of a pod specification that names an image: containers of the three kinds, and image volumes
 * (which Kyverno leaves unlooked at, although what they hold may be run). An element without an image is left out, as
 * Kubernetes itself refuses it; so is one of spaces, which OpenShift writes until it knows the image, and which nothing can
 * pull. One with something other than a text is not, so that it is refused here.
 */
export function podImages(kind: string, object: JsonObject): readonly ImagePlace[] {
  const found = podSpec(kind, object)
  return found === undefined ? [] : imagesOfSpec(found.path, found.spec)
}

/**
 * The same of a resource of whatever kind: wherever one that is known has its pod specification, one that is not may have its own,
 * as those of Argo and Knative do.
 */
export function podImagesOfAnyKind(object: JsonObject): readonly ImagePlace[] {
  const paths = new Map([...POD_SPECS.values()].map((path) => [path.join('.'), path] as const))
  return [...paths.values()].flatMap((path) =>
    expand(path, object).flatMap(({ value }) => (isJsonObject(value) ? imagesOfSpec(path, value) : [])),
  )
}

/** Every place of the resource under review that names an image, also of kinds that are only declared to run some. */
export function imagesOf({
  kind: { kind },
  object,
  declared,
}: Pick<Review, 'kind' | 'object' | 'declared'>): readonly ImagePlace[] {
  if (declared === undefined) return podImages(kind, object)
  const specs = declared.podSpecs.flatMap((path) => expand(path, object))
  const texts = declared.images.flatMap((path) => expand(path, object))
  return [
    ...specs.flatMap(({ path, value }) => (isJsonObject(value) ? imagesOfSpec(path, value) : [])),
    ...texts.map(({ path, value }) => place(path, { group: 'images', element: {}, value })),
  ].filter(({ value }) => value !== undefined && value !== '')
}

interface Found {
  readonly path: readonly string[]
  readonly value: JsonValue | undefined
}

/** What stands at a path; `*` is every element or member. */
function expand(path: readonly string[], root: JsonValue): readonly Found[] {
  let found: readonly Found[] = [{ path: [], value: root }]
  for (const step of path) {
    found = found.flatMap(({ path: before, value }) => {
      if (typeof value !== 'object' || value === null) return []
      const members = Object.entries<JsonValue>(value as JsonObject)
      const wanted = step === '*' ? members : members.filter(([name]) => name === step)
      return wanted.map(([name, member]) => ({ path: [...before, name], value: member }))
    })
  }
  return found
}

function imagesOfSpec(path: readonly string[], spec: JsonObject): readonly ImagePlace[] {
  const places: ImagePlace[] = []
  for (const group of CONTAINERS) {
    for (const { element, index } of elements(spec[group])) {
      const value = element['image']
      if (namesSomething(value)) places.push(place([...path, group, index, 'image'], { group, element, value }))
    }
  }
  for (const { element, index } of elements(spec['volumes'])) {
    const image = element['image']
    const value = isJsonObject(image) ? image['reference'] : undefined
    if (!namesSomething(value)) continue
    places.push(place([...path, 'volumes', index, 'image', 'reference'], { group: 'volumes', element, value }))
  }
  return places
}

/** Whether something stands where an image should stand. */
export function namesSomething(value: JsonValue | undefined): boolean {
  return value !== undefined && !(typeof value === 'string' && value.trim() === '')
}

function elements(list: JsonValue | undefined): readonly { readonly element: JsonObject; readonly index: string }[] {
  if (!Array.isArray(list)) return []
  const found: { element: JsonObject; index: string }[] = []
  for (const [index, element] of (list as readonly JsonValue[]).entries())
    if (isJsonObject(element)) found.push({ element, index: String(index) })
  return found
}

function place(
  steps: readonly string[],
  {
    group,
    element,
    value,
  }: { readonly group: string; readonly element: JsonObject; readonly value: JsonValue | undefined },
): ImagePlace {
  const { name } = element
  const path = steps.map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join('')
  return {
    group,
    name: typeof name === 'string' ? name : (steps.at(-2) ?? ''),
    path: path.slice(1),
    pointer: `/${steps.map(escapeStep).join('/')}`,
    value,
  }
}

/** RFC 6901 §3. */
export function escapeStep(step: string): string {
  return step.replaceAll('~', '~0').replaceAll('/', '~1')
}
