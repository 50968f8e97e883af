/** Complaints about a Kyverno policy, worded as Kubernetes words them. @module */
import { isCodedError } from '#errors'
import type { Fields } from '../internal/fields.js'

/** `path: Invalid value: …: detail`; of one of the fields, or of the whole object. */
export function invalidValue(fields: Fields, detail: string, name?: string): void {
  const path = name === undefined ? fields.path : fields.at(name)
  const value = name === undefined ? fields.value : (fields.get(name) ?? null)
  fields.complaints.add(`${path}: Invalid value: ${JSON.stringify(value).slice(0, 200)}: ${detail}`)
}

/** `path: Forbidden: detail` */
export function forbidden(fields: Fields, name: string, detail: string): void {
  fields.complaints.add(`${fields.at(name)}: Forbidden: ${detail}`)
}

/** `path: Required value: detail` */
export function required(fields: Fields, name: string, detail: string): void {
  fields.complaints.add(`${fields.at(name)}: Required value: ${detail}`)
}

/** `path: Unsupported value: …: supported values: …` where the text is not one of a few; undefined where it is absent or none of them. */
export function oneOf<Value extends string>(fields: Fields, name: string, values: readonly Value[]): Value | undefined {
  const text = fields.text(name)
  const value = values.find((each) => each === text)
  if (text !== undefined && value === undefined) {
    const supported = values.map((each) => JSON.stringify(each)).join(', ')
    fields.complaints.add(
      `${fields.at(name)}: Unsupported value: ${JSON.stringify(text).slice(0, 200)}: supported values: ${supported}`,
    )
  }
  return value
}

/** What `read` makes of a field, or of the whole object; a coded error becomes a complaint about it. */
export function guarded<T>(fields: Fields, name: string | undefined, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!isCodedError(error)) throw error
    const { message, expected, found } = error
    const detail = [
      message,
      ...(expected === undefined ? [] : [`expected ${expected}`]),
      ...(found === undefined ? [] : [`found ${found}`]),
    ]
    invalidValue(fields, detail.join(', '), name)
    return undefined
  }
}
