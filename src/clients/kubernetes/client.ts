/** The Kubernetes API over a connection. @module */
import type { JsonValue } from '#encoding/json'
import { discardBody } from '../http/body.js'
import type { DeleteOptions, KubernetesApi, Patch, WriteOptions } from './api.js'
import type { ClusterConnection } from './connection.js'
import { parseGroups, parseResources } from './discovery.js'
import { orAbsent } from './or-absent.js'
import { listPages } from './list-pages.js'
import { describeAddress, MAX_NESTING, parseObject, type Collection } from './object.js'
import { collectionPath, objectPath, query, rawPath, versionPath } from './paths.js'
import { abortable, ask, askJson, jsonBody, write } from './requests.js'
import { readEvents } from './watch-events.js'

/** Servers end watches after a while; asking for a time of our own spreads the reconnections of several replicas. */
const WATCH_SECONDS = { least: 240, spread: 240 }

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const satisfies Record<Patch['kind'], string>

/** @param random a number in [0, 1) */
export function createKubernetesClient(connection: ClusterConnection, random: () => number): KubernetesApi {
  return { ...reads(connection), ...writes(connection), watch: watches(connection, random), ...discovers(connection) }
}

function reads({ request, access }: ClusterConnection): Pick<KubernetesApi, 'get' | 'list' | 'call'> {
  return {
    get: async (at, signal) => {
      const asked = `get ${describeAddress(at)}`
      return parseObject(
        await askJson(request, objectPath(at), { asked, depth: MAX_NESTING, ...abortable(signal) }),
        asked,
      )
    },
    list: async (of, { labelSelector, fieldSelector } = {}, signal) => {
      const asked = `list ${describeAddress(of)}`
      return await listPages(asked, async ({ limit, continue: token }) => {
        const search = query({ limit, continue: token, labelSelector, fieldSelector })
        return await askJson(request, `${collectionPath(of)}${search}`, {
          asked,
          depth: MAX_NESTING,
          ...abortable(signal),
        })
      })
    },
    call: async (path, { method, body }, signal) => {
      const sent = body === undefined ? { method } : jsonBody(method, body)
      const asked = `${method} ${path.slice(0, 200)}`
      return await askJson(request, rawPath(access.server, path), { asked, ...sent, ...abortable(signal) })
    },
  }
}

function watches({ stream }: ClusterConnection, random: () => number): KubernetesApi['watch'] {
  return async function* (of, { resourceVersion, labelSelector, fieldSelector }, signal) {
    const asked = `watch ${describeAddress(of)}`
    const timeoutSeconds = WATCH_SECONDS.least + Math.floor(random() * WATCH_SECONDS.spread)
    const selection = { resourceVersion, labelSelector, fieldSelector, timeoutSeconds }
    const search = query({ watch: true, allowWatchBookmarks: true, ...selection })
    const response = await ask(stream, `${collectionPath(of)}${search}`, { asked, ...abortable(signal) })
    yield { type: 'STARTED' }
    yield* readEvents(response, asked)
  }
}

function writes({
  request,
}: ClusterConnection): Pick<KubernetesApi, 'create' | 'update' | 'apply' | 'patch' | 'delete'> {
  return {
    create: async (of, body, options = {}) => {
      const asked = `create ${describeAddress(of)}`
      return await write(request, { asked, path: createPath(of, options), method: 'POST', body, options })
    },
    update: async (at, body, options = {}) => {
      const path = objectPath(at, options.subresource)
      return await write(request, { asked: `update ${describeAddress(at)}`, path, method: 'PUT', body, options })
    },
    apply: async (at, body, options) => {
      const path = objectPath(at, options.subresource)
      // JSON is YAML, and older servers know no other type for this.
      const sent = { method: 'PATCH', type: 'application/apply-patch+yaml', body, repeatable: true } as const
      return await write(request, { asked: `apply ${describeAddress(at)}`, path, ...sent, options })
    },
    patch: async (at, { kind, body }, options = {}) => {
      const path = objectPath(at, options.subresource)
      const sent = { method: 'PATCH', type: PATCH_TYPES[kind], body } as const
      return await write(request, { asked: `patch ${describeAddress(at)}`, path, ...sent, options })
    },
    delete: async (at, options = {}) => {
      const sent = { ...jsonBody('DELETE', deleteBody(options)), ...abortable(options.signal) }
      await discardBody(await ask(request, objectPath(at), { asked: `delete ${describeAddress(at)}`, ...sent }))
    },
  }
}

function discovers({ request }: ClusterConnection): Pick<KubernetesApi, 'resources' | 'groups'> {
  return {
    resources: async (apiVersion, signal) => {
      const asked = `the resources of ${apiVersion}`
      const value = await orAbsent(askJson(request, versionPath(apiVersion), { asked, ...abortable(signal) }))
      return value === undefined ? [] : parseResources(value, asked)
    },
    groups: async (signal) => {
      const asked = 'the API groups'
      return parseGroups(await askJson(request, '/apis', { asked, ...abortable(signal) }), asked)
    },
  }
}

function createPath(of: Collection & { readonly name?: string }, { subresource }: WriteOptions): string {
  return subresource === undefined ? collectionPath(of) : objectPath({ ...of, name: of.name ?? '' }, subresource)
}

function deleteBody({ uid, resourceVersion, propagation, dryRun }: DeleteOptions): JsonValue {
  const preconditions = { ...(uid !== undefined && { uid }), ...(resourceVersion !== undefined && { resourceVersion }) }
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(Object.keys(preconditions).length > 0 && { preconditions }),
    ...(propagation !== undefined && { propagationPolicy: propagation }),
    ...(dryRun === true && { dryRun: ['All'] }),
  }
}
