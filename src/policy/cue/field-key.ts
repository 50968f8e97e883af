/** How fields are told apart: `"_type"` is a field of the data, `_type` a hidden one of the policy. @module */

const PRIVATE = '\u0000'

/** The key of a field that is written without quotes. */
export function fieldKey(identifier: string): string {
  return identifier.startsWith('_') || identifier.startsWith('#') ? PRIVATE + identifier : identifier
}

/** Hidden fields and definitions are never part of the data, so closedness and patterns pass them by. */
export function isDataKey(key: string): boolean {
  return !key.startsWith(PRIVATE)
}

/** Definitions are closed. */
export function isDefinitionKey(key: string): boolean {
  return key.startsWith(`${PRIVATE}#`) || key.startsWith(`${PRIVATE}_#`)
}

/** A key as it was written, for messages. */
export function showKey(key: string): string {
  return isDataKey(key) ? key : key.slice(PRIVATE.length)
}
