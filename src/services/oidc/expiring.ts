/** A bounded table whose entries die by themselves: what a person has begun and not finished. @module */
import type { Clock, UnixMillis } from '#time'

export interface ExpiringMap<T> {
  /** Keeps a value for the table's lifetime. When the table is full, the oldest entry makes room. */
  set(key: string, value: T): void
  /** The value if it is there and alive. */
  get(key: string): T | undefined
  /** Takes the value out: whoever comes second finds nothing. */
  take(key: string): T | undefined
  delete(key: string): void
}

interface Entry<T> {
  readonly value: T
  readonly dies: UnixMillis
}

export interface ExpiringOptions {
  readonly clock: Clock
  readonly lifetimeMillis: number
  /** A stranger can begin as many things as he likes; this many are remembered. */
  readonly maxEntries: number
}

export function createExpiringMap<T>({ clock, lifetimeMillis, maxEntries }: ExpiringOptions): ExpiringMap<T> {
  // A Map keeps insertion order and all lifetimes are equal, so the first entries are always the oldest.
  const entries = new Map<string, Entry<T>>()
  const sweep = (): void => {
    const now = clock()
    for (const [key, entry] of entries) {
      if (entry.dies > now && entries.size < maxEntries) return
      entries.delete(key)
    }
  }
  const get = (key: string): T | undefined => {
    const entry = entries.get(key)
    return entry !== undefined && entry.dies > clock() ? entry.value : undefined
  }
  return {
    set(key, value) {
      sweep()
      entries.set(key, { value, dies: clock() + lifetimeMillis })
    },
    get,
    take(key) {
      const value = get(key)
      entries.delete(key)
      return value
    },
    delete: (key) => void entries.delete(key),
  }
}
