/** The form of `verifyImages` before there were attestors: `image`, `key`, `issuer`, `subject`, … beside one another. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { Fields } from '../internal/fields.js'
import { invalidValue } from './complain.js'

/** Fields of the older form. */
export const OLDER_FIELDS = ['image', 'key', 'issuer', 'subject', 'roots', 'additionalExtensions'] as const

const KEYLESS = ['issuer', 'subject', 'roots', 'additionalExtensions'] as const

/**
 * The same in today's form.
 *
 * What is written beside attestations is asked of each of them: the original means to, but loses it on the way and then counts
 * whoever signed them. It also passes over a subject that stands alone.
 */
export function inTodaysForm(fields: Fields): JsonObject {
  const { value } = fields
  const written = OLDER_FIELDS.filter((name) => fields.has(name) && value[name] !== '')
  const rest = Object.fromEntries(Object.entries(value).filter(([name]) => !OLDER_FIELDS.some((each) => each === name)))
  if (written.length === 0) return rest
  const image = fields.text('image')
  const references = [...listOf(fields, 'imageReferences'), ...(image === undefined ? [] : [image])]
  const entry = entryOf(fields)
  const today = { ...rest, imageReferences: references }
  if (entry === undefined) return today
  const set = { entries: [entry] }
  const attestations = listOf(fields, 'attestations')
  if (attestations.length === 0) return { ...today, attestors: [...listOf(fields, 'attestors'), set] }
  return { ...today, attestations: attestations.map((each) => withSet(each, set)) }
}

function entryOf(fields: Fields): JsonObject | undefined {
  const key = fields.text('key')
  const keyless = KEYLESS.filter((name) => fields.has(name))
  if (key === undefined && keyless.length === 0) return undefined
  if (key !== undefined && keyless.length > 0)
    invalidValue(fields, `a key, or ${keyless.join(', ')}: a signature is by one or the other`)
  if (key === undefined && fields.text('issuer') === undefined && fields.has('attestors'))
    invalidValue(fields, `${keyless.join(', ')} beside attestors: write it into keyless`)
  const annotations = fields.get('annotations')
  return {
    ...(annotations === undefined ? {} : { annotations }),
    ...(key === undefined
      ? { keyless: Object.fromEntries(keyless.map((name) => [name, fields.get(name) ?? null])) }
      : { keys: { publicKeys: key } }),
  }
}

function withSet(attestation: JsonValue, set: JsonObject): JsonValue {
  if (!isJsonObject(attestation)) return attestation
  const { attestors } = attestation
  return { ...attestation, attestors: [...(Array.isArray(attestors) ? (attestors as readonly JsonValue[]) : []), set] }
}

function listOf(fields: Fields, name: string): readonly JsonValue[] {
  const list = fields.get(name)
  return Array.isArray(list) ? (list as readonly JsonValue[]) : []
}
