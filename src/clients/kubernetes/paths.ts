/** Addresses of the Kubernetes API. @module */
import { KubernetesError } from './kubernetes-error.js'
import type { Collection, ObjectAddress } from './object.js'

/** `/apis/apps/v1/namespaces/team-a/deployments` */
export function collectionPath({ apiVersion, resource, namespace }: Collection): string {
  const scope = namespace === undefined ? '' : `/namespaces/${segment(namespace)}`
  return `${versionPath(apiVersion)}${scope}/${segment(resource)}`
}

export function objectPath(at: ObjectAddress, subresource?: string): string {
  const below = subresource === undefined ? '' : `/${segment(subresource)}`
  return `${collectionPath(at)}/${segment(at.name)}${below}`
}

/** `/api/v1`, `/apis/apps/v1` */
export function versionPath(apiVersion: string): string {
  const parts = apiVersion.split('/').map(segment)
  if (parts.length > 2) throw noAddress(apiVersion)
  return parts.length === 1 ? `/api/${parts.join('')}` : `/apis/${parts.join('/')}`
}

/** A query of what is set. */
export function query(parameters: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== false) search.set(name, String(value))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}

/**
 * An address that somebody else wrote, held below the server's own.
 * @throws {@link KubernetesError} KUBERNETES_INVALID
 */
export function rawPath(server: string, path: string): string {
  const base = `${new URL(server).href.replace(/\/+$/, '')}/`
  // Resolving takes the dots out, encoded ones too, so that they cannot climb.
  const address = path.startsWith('/') ? `${base}${path.slice(1)}` : undefined
  const url = address !== undefined && URL.canParse(address) ? new URL(address) : undefined
  if (url === undefined || !url.href.startsWith(base) || url.hash !== '') throw noAddress(path)
  return `/${url.href.slice(base.length)}`
}

/** A part of an address cannot hold what would make it another address. */
function segment(text: string): string {
  if (text === '' || text === '.' || text === '..' || text.includes('/') || text.includes('%')) throw noAddress(text)
  return encodeURIComponent(text)
}

function noAddress(found: string): KubernetesError {
  return new KubernetesError('KUBERNETES_INVALID', 'not an address of the Kubernetes API', {
    expected: 'names without slashes and dots alone, a path that begins with a slash',
    found: found.slice(0, 200),
  })
}
