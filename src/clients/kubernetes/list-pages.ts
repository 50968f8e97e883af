/** Lists, page by page, as one state of the cluster. @module */
import { isJsonObject, type JsonValue } from '#encoding/json'
import { KubernetesError, isKubernetesError } from './kubernetes-error.js'
import type { ObjectList } from './api.js'
import { parseObject, type KubernetesObject } from './object.js'

/** As kubectl asks. */
const PAGE = 500
/** A list that outlives its state of the cluster so often is asked for in one answer. */
const MAX_RESTARTS = 1

export interface PageQuery {
  readonly limit: number | undefined
  readonly continue: string | undefined
}

/** Reads all pages. One that is no longer kept means beginning again, since parts of two states are neither. */
export async function listPages(
  asked: string,
  fetchPage: (page: PageQuery) => Promise<JsonValue>,
): Promise<ObjectList> {
  for (let restarts = 0; ; restarts++) {
    try {
      return await collect(asked, fetchPage, restarts <= MAX_RESTARTS ? PAGE : undefined)
    } catch (error) {
      const isExpired = isKubernetesError(error) && error.code === 'KUBERNETES_EXPIRED'
      if (!isExpired || restarts > MAX_RESTARTS) throw error
    }
  }
}

async function collect(
  asked: string,
  fetchPage: (page: PageQuery) => Promise<JsonValue>,
  limit: number | undefined,
): Promise<ObjectList> {
  const items: KubernetesObject[] = []
  let token: string | undefined
  for (;;) {
    const page = parsePage(await fetchPage({ limit, continue: token }), asked)
    items.push(...page.items)
    if (page.next === undefined) return { items, resourceVersion: page.resourceVersion }
    // A server that says the same page for ever would fill the memory.
    if (page.next === token || page.items.length === 0) throw malformed(asked, 'another page')
    token = page.next
  }
}

interface Page extends ObjectList {
  readonly next: string | undefined
}

/** Reads one page. */
export function parsePage(value: JsonValue, asked: string): Page {
  const { kind, apiVersion, metadata, items } = isJsonObject(value) ? value : {}
  const { resourceVersion, continue: next } = isJsonObject(metadata) ? metadata : {}
  if (typeof kind !== 'string' || !kind.endsWith('List') || typeof apiVersion !== 'string') {
    throw malformed(asked, 'a list')
  }
  if (typeof resourceVersion !== 'string') throw malformed(asked, 'a list with a resourceVersion')
  // Go writes an empty list as null.
  const list = items ?? []
  if (!Array.isArray(list)) throw malformed(asked, 'items')
  const type = { apiVersion, kind: kind.slice(0, -'List'.length) }
  return {
    items: (list as readonly JsonValue[]).map((item) => parseObject(item, asked, type)),
    resourceVersion,
    next: typeof next === 'string' && next !== '' ? next : undefined,
  }
}

function malformed(asked: string, expected: string): KubernetesError {
  return new KubernetesError('KUBERNETES_ANSWER', `${asked}: the answer is not a list`, { expected })
}
