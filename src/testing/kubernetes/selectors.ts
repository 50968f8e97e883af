/** Label and field selectors, as they stand in addresses. @module */
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'

/** Whether an object is selected. Of fields, those that a path of plain names leads to. */
export function isSelected(object: JsonObject, labels: string | null, fields: string | null): boolean {
  const metadata = object['metadata']
  const own = isJsonObject(metadata) && isJsonObject(metadata['labels']) ? metadata['labels'] : {}
  return (
    terms(labels).every((term) => labelHolds(term, own)) &&
    terms(fields).every((term) => comparisonHolds(term, (path) => textAt(object, path)))
  )
}

/** Commas within parentheses belong to `in (a,b)`. */
function terms(selector: string | null): readonly string[] {
  return (selector ?? '').split(/,(?![^(]*\))/).flatMap((term) => (term.trim() === '' ? [] : [term.trim()]))
}

function labelHolds(term: string, labels: JsonObject): boolean {
  const set = /^(\S+) (in|notin) \(([^)]*)\)$/.exec(term)
  if (set !== null) {
    const [, name = '', operator, values = ''] = set
    const value = labels[name]
    const isIn = typeof value === 'string' && values.split(',').some((each) => each.trim() === value)
    return operator === 'in' ? isIn : !isIn
  }
  if (term.startsWith('!')) return labels[term.slice(1)] === undefined
  if (!term.includes('=')) return labels[term] !== undefined
  return comparisonHolds(term, (name) => labels[name])
}

function comparisonHolds(term: string, valueOf: (name: string) => JsonValue | undefined): boolean {
  const [, name = '', operator, wanted] = /^([^!=]+)(!=|==?)(.*)$/.exec(term) ?? []
  return (valueOf(name) === wanted) !== (operator === '!=')
}

function textAt(object: JsonObject, path: string): JsonValue | undefined {
  return path.split('.').reduce<JsonValue | undefined>((at, name) => (isJsonObject(at) ? at[name] : undefined), object)
}
