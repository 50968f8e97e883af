/** Resources to be admitted, for tests of policies. @module */
import type { JsonObject } from '#encoding/json'
import type { Review } from '#policy/internal/review'

const RESOURCES: Readonly<Record<string, { readonly group: string; readonly plural: string }>> = {
  Pod: { group: '', plural: 'pods' },
  Deployment: { group: 'apps', plural: 'deployments' },
  CronJob: { group: 'batch', plural: 'cronjobs' },
}

/** A review of a resource. */
export function reviewOf(kind: string, object: JsonObject, more: Partial<Review> = {}): Review {
  const { group = '', plural = `${kind.toLowerCase()}s` } = RESOURCES[kind] ?? {}
  return {
    operation: 'CREATE',
    kind: { group, version: 'v1', kind },
    resource: { group, version: 'v1', resource: plural },
    name: 'test',
    namespace: 'default',
    object,
    ...more,
  }
}

/** A pod with containers of these images. */
export function podOf(...images: readonly string[]): Review {
  const containers = images.map((image, index) => ({ name: `c${String(index)}`, image }))
  return reviewOf('Pod', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'test' }, spec: { containers } })
}
