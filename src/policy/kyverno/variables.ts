/** Telling texts that have variables from those that are what they are. @module */
import type { JsonValue } from '#encoding/json'

/** Whether a text has variables, so that nothing can be said of it before there is a review. */
export function isOpen(text: string): boolean {
  return text.includes('{{') || text.includes('$(')
}

/** Whether a value has variables anywhere, names included. */
export function hasVariables(value: JsonValue): boolean {
  if (typeof value === 'string') return isOpen(value)
  if (typeof value !== 'object' || value === null) return false
  if (Array.isArray(value)) return (value as readonly JsonValue[]).some(hasVariables)
  return Object.entries(value as Readonly<Record<string, JsonValue>>).some(
    ([name, each]) => isOpen(name) || hasVariables(each),
  )
}

/** Where a value has variables, for people: `attestors[0].entries[0].keys.publicKeys: {{ keys.data.org }}`. */
export function variablePlaces(value: JsonValue, at = ''): readonly string[] {
  if (typeof value === 'string') return isOpen(value) ? [`${at}: ${value.trim().slice(0, 200)}`] : []
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value))
    return (value as readonly JsonValue[]).flatMap((each, index) => variablePlaces(each, `${at}[${String(index)}]`))
  return Object.entries(value as Readonly<Record<string, JsonValue>>).flatMap(([name, each]) =>
    variablePlaces(each, at === '' ? name : `${at}.${name}`),
  )
}
