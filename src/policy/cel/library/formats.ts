/** Named formats of texts, as Kubernetes has them. What is said of a text that does not fit is our own wording. @module */
import { free, member } from '../environment.js'
import type { Library } from '../environment.js'
import { isRequestUri } from '../go-url.js'
import { list, opaqueKind, optional, string } from '../kind.js'
import { NONE, Opaque, Optional } from '../values.js'

/** What is wrong with a text. */
type Validate = (text: string) => readonly string[]

class NamedFormat extends Opaque {
  override readonly typeName = 'kubernetes.NamedFormat'
  readonly name: string
  readonly validate: Validate

  constructor(name: string, validate: Validate) {
    super()
    this.name = name
    this.validate = validate
  }
}

const format = opaqueKind('kubernetes.NamedFormat', NamedFormat)

const LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const LETTER_LABEL = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const KEY_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const LABEL_LENGTH = 63
const SUBDOMAIN_LENGTH = 253

function shaped(shape: RegExp, most: number, description: string): Validate {
  return (text) => {
    if (text.length > most) return [`must be no more than ${String(most)} characters`]
    return shape.test(text) ? [] : [`must be ${description}`]
  }
}

const label = shaped(LABEL, LABEL_LENGTH, "lower case letters, digits or '-', with a letter or digit at both ends")
const letterLabel = shaped(
  LETTER_LABEL,
  LABEL_LENGTH,
  "lower case letters, digits or '-', with a letter at the start and a letter or digit at the end",
)
const subdomain = shaped(SUBDOMAIN, SUBDOMAIN_LENGTH, "labels of lower case letters, digits or '-', joined by '.'")
const keyName = shaped(KEY_NAME, LABEL_LENGTH, "letters, digits, '-', '_' or '.', with a letter or digit at both ends")
const labelValue: Validate = (text) => (text === '' ? [] : keyName(text))

/** A name that more is appended to: a dash at its end is none of the name. */
function prefix(validate: Validate): Validate {
  return (text) => validate(text.length > 1 && text.endsWith('-') ? `${text.slice(0, -2)}a` : text)
}

function qualifiedName(text: string): readonly string[] {
  const parts = text.split('/')
  const name = parts.pop() ?? ''
  const [domain, ...others] = parts
  if (others.length > 0) return ["must have one '/' at most"]
  const before = domain === undefined ? [] : subdomain(domain).map((each) => `prefix part ${each}`)
  return [...before, ...keyName(name).map((each) => `name part ${each}`)]
}

function holds(test: (text: string) => boolean, description: string): Validate {
  return (text) => (test(text) ? [] : [`must be ${description}`])
}

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const TIME = /^(\d\d):(\d\d):(\d\d)(?:.\d+)?(?:z|[+-]\d\d:\d\d)$/

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

function isDateTime(text: string): boolean {
  const [date = '', time = ''] = text.toLowerCase().split('t')
  const [, hour = '', minute = '', second = ''] = TIME.exec(time) ?? ['', '99']
  return isDate(date) && hour <= '23' && minute <= '59' && second <= '59'
}

const FORMATS: Readonly<Record<string, Validate>> = {
  dns1123Label: label,
  dns1123Subdomain: subdomain,
  dns1035Label: letterLabel,
  qualifiedName,
  dns1123LabelPrefix: prefix(label),
  dns1123SubdomainPrefix: prefix(subdomain),
  dns1035LabelPrefix: prefix(letterLabel),
  labelValue,
  uri: holds(isRequestUri, 'a URI'),
  uuid: holds((text) => UUID.test(text), 'a UUID'),
  byte: holds((text) => text.length % 4 === 0 && BASE64.test(text), 'base64'),
  date: holds(isDate, 'a date, such as 2025-01-31'),
  datetime: holds(isDateTime, 'a date and time, such as 2025-01-31T12:00:00Z'),
}

const named = new Map(Object.entries(FORMATS).map(([name, validate]) => [name, new NamedFormat(name, validate)]))

export const FORMATTING: Library = {
  ...Object.fromEntries([...named].map(([name, value]) => [`format.${name}`, [free([], format, () => value)]])),
  'format.named': [
    free([string], optional(format), ([name]) => {
      const found = named.get(name)
      return found === undefined ? NONE : new Optional(found)
    }),
  ],
  validate: [
    member([format, string], optional(list(string)), ([{ validate }, text], { budget }) => {
      budget.read(text.length)
      const wrong = validate(text)
      return wrong.length === 0 ? NONE : new Optional(wrong)
    }),
  ],
}
