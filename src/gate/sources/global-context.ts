/** What GlobalContextEntries hold: looked up when a policy asks, and remembered as long as the entry says. @module */
import { RecentMap } from '#clients/recent-map'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Clock, UnixMillis } from '#time'
import { projectionOf, readGlobalContextEntry } from '#policy/kyverno/global-context-entry'
import type { EntrySource, GlobalContextEntry } from '#policy/kyverno/global-context-entry'
import type { ClusterReader } from '#policy/internal/cluster'
import { PolicyError } from '#policy/internal/policy-error'
import type { Documents } from '../snapshot/documents.js'

export interface GlobalContextOptions {
  readonly documents: Documents
  /** Lists are remembered there for moments already, as if they were watched. */
  readonly reader: Pick<ClusterReader, 'list' | 'call'>
  readonly clock: Clock
}

interface Called {
  readonly answer: Promise<JsonValue>
  readonly until: UnixMillis
}

const MAX_CALLS = 256

export const GLOBAL_CONTEXT_ENTRY = { group: 'kyverno.io', kind: 'GlobalContextEntry' } as const

/** @returns a look-up that throws PolicyError `POLICY_CLUSTER`, `POLICY_FIELD` or `POLICY_UNSUPPORTED` where there is nothing to be had */
export function createGlobalContext({
  documents,
  reader,
  clock,
}: GlobalContextOptions): ClusterReader['globalContext'] {
  const entries = new WeakMap<JsonObject, Promise<GlobalContextEntry>>()
  const calls = new RecentMap<string, Called>(MAX_CALLS)

  async function valueOf(source: EntrySource, key: string, signal: AbortSignal): Promise<JsonValue> {
    if (source.kind === 'list') return [...(await reader.list(source.of, signal))]
    const known = calls.get(key)
    if (known !== undefined && known.until > clock()) return await known.answer
    // Not the signal of one review: others wait for the same answer, and the time of a request is bounded where it is made.
    const answer = reader.call(source.path, source.call, new AbortController().signal)
    const called = { answer, until: clock() + source.refreshMillis }
    calls.set(key, called)
    try {
      return await answer
    } catch (error) {
      // What could not be had is asked for again, and is no value until then.
      if (calls.get(key) === called) calls.delete(key)
      throw error
    }
  }

  return async (name, projection, signal) => {
    const document = documents.get({ ...GLOBAL_CONTEXT_ENTRY, namespace: '', name })
    if (document === undefined)
      throw new PolicyError('POLICY_CLUSTER', `the global context entry ${name} is not known here`)
    const reading = entries.get(document) ?? readGlobalContextEntry(document)
    entries.set(document, reading)
    const entry = await reading
    // An entry that changes is another question.
    const value = await valueOf(entry.source, JSON.stringify([name, entry.source]), signal)
    return projection === undefined ? value : projectionOf(entry, projection, { value, clock })
  }
}
