/** Kyverno's functions over texts, encodings and structures. @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { sha256 } from '#crypto/digest'
import { parseReference } from '#formats/oci/reference'
import type { FunctionLine, Surroundings } from './function.js'
import { takes, typeName } from './function.js'
import { imageInfo } from './image-info.js'
import { evaluationError } from './jmespath-error.js'
import { equalValues, jsonText, memberOf, plainNumber } from './json-values.js'
import { parseRange, parseVersion } from './semver.js'
import { matchesExpression, matchesWildcard } from './wildcard-match.js'

export const TEXT_FUNCTIONS: readonly FunctionLine[] = [
  ['compare', takes(['string', 'string'], ([a, b]) => (a < b ? -1 : a > b ? 1 : 0))],
  [
    'equal_fold',
    takes(['string', 'string'], ([a, b]) => a.toUpperCase().toLowerCase() === b.toUpperCase().toLowerCase()),
  ],
  [
    'replace',
    takes(['string', 'string', 'string', 'number'], ([text, from, to, times], world) =>
      replaced([text, from, to], times, world),
    ),
  ],
  ['replace_all', takes(['string', 'string', 'string'], (texts, world) => replaced(texts, -1, world))],
  ['to_upper', takes(['string'], ([text]) => text.toUpperCase())],
  ['to_lower', takes(['string'], ([text]) => text.toLowerCase())],
  ['trim', takes(['string', 'string'], ([text, characters]) => trimmed(text, new Set(characters)))],
  [
    'trim_prefix',
    takes(['string', 'string'], ([text, start]) => (text.startsWith(start) ? text.slice(start.length) : text)),
  ],
  ['split', takes(['string', 'string'], ([text, by]) => (by === '' ? [...text] : text.split(by)))],
  ['truncate', takes(['string', 'number'], ([text, length]) => truncated(text, length))],
  [
    'regex_match',
    takes(['string', 'string or number'], ([pattern, text], { budget }) =>
      matchesExpression(pattern, textOf(text), budget),
    ),
  ],
  [
    'pattern_match',
    takes(['string', 'string or number'], ([pattern, text], { budget }) =>
      matchesWildcard(pattern, textOf(text), budget),
    ),
  ],
  ['label_match', takes(['object', 'object'], labelMatch)],
  ['to_boolean', takes(['string'], ([text]) => booleanOf(text))],
  ['base64_encode', takes(['string'], ([text]) => encodeBase64(encodeUtf8(text)))],
  ['base64_decode', takes(['string'], ([text]) => read('base64 of UTF-8 text', () => decodeUtf8(decodeBase64(text))))],
  ['sha256', takes(['string'], ([text]) => encodeHex(sha256(encodeUtf8(text))))],
  ['path_canonicalize', takes(['string'], ([text]) => canonicalPath(text))],
  ['semver_compare', takes(['string', 'string'], ([version, range]) => inRange(version, range))],
  ['parse_json', takes(['string'], ([text]) => read('JSON', () => parseJson(text)))],
  ['parse_yaml', takes(['string'], ([text], world) => yamlValue(text, world))],
  ['lookup', takes(['array or object', 'string or number'], ([whole, key]) => lookup(whole, key))],
  ['items', takes(['array or object', 'string', 'string'], ([whole, key, value]) => items(whole, key, value))],
  ['object_from_lists', takes(['array', 'array'], ([keys, values]) => objectFromLists(keys, values))],
  ['image_normalize', takes(['string'], ([text]) => normalized(text))],
  ['is_external_url', takes(['string'], ([text]) => isExternal(text))],
]

function textOf(value: string | number): string {
  return typeof value === 'string' ? value : plainNumber(value)
}

function read<T>(expected: string, body: () => T): T {
  try {
    return body()
  } catch {
    throw evaluationError('a text is not what it should be', { expected })
  }
}

function replaced(
  [text, from, to]: readonly [string, string, string],
  times: number,
  { budget }: Surroundings,
): string {
  const parts = from === '' ? ['', ...text, ''] : text.split(from)
  const count = Math.min(parts.length - 1, times < 0 ? Infinity : Math.trunc(times))
  budget.characters(text.length + count * to.length)
  const [head, tail] = [parts.slice(0, count + 1), parts.slice(count + 1)]
  return [head.join(to), ...tail].join(from)
}

function trimmed(text: string, characters: ReadonlySet<string>): string {
  const all = [...text]
  let [start, end] = [0, all.length]
  while (start < end && characters.has(all[start] ?? '')) start++
  while (end > start && characters.has(all[end - 1] ?? '')) end--
  return all.slice(start, end).join('')
}

function truncated(text: string, length: number): string {
  if (!Number.isSafeInteger(Math.trunc(length))) throw evaluationError('a length is a whole number')
  return [...text].slice(0, Math.max(0, Math.trunc(length))).join('')
}

function labelMatch([wanted, labels]: readonly [JsonObject, JsonObject], { budget }: Surroundings): boolean {
  return Object.entries(wanted).every(([name, value]) => {
    const label = memberOf(labels, name)
    return label !== undefined && equalValues(label, value, budget)
  })
}

function booleanOf(text: string): boolean {
  const lower = text.toLowerCase()
  if (lower !== 'true' && lower !== 'false') throw evaluationError('not a boolean', { expected: 'true or false' })
  return lower === 'true'
}

function canonicalPath(path: string): string {
  if (path === '') return ''
  const rooted = path.startsWith('/')
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue
    if (part === '..' && (rooted || (parts.length > 0 && parts.at(-1) !== '..'))) parts.pop()
    else parts.push(part)
  }
  const joined = parts.join('/')
  return rooted ? `/${joined}` : joined === '' ? '.' : joined
}

/** Kyverno takes what is no version for 0.0.0, which every `<2.0.0` accepts; here it is an error. */
function inRange(text: string, rangeText: string): boolean {
  const version = parseVersion(text)
  const range = parseRange(rangeText)
  if (version === undefined) throw evaluationError('not a version', { expected: '1.2.3', found: text.slice(0, 40) })
  if (range === undefined) throw evaluationError('not a range of versions', { found: rangeText.slice(0, 40) })
  return range(version)
}

/** Reading YAML takes far longer than reading JSON. */
const YAML_CHARACTERS_A_STEP = 8

/** Aliases may make a value huge, or endless: it is measured before it is copied to plain JSON. */
function yamlValue(text: string, { parseYaml, budget }: Surroundings): JsonValue {
  budget.spend(text.length / YAML_CHARACTERS_A_STEP)
  const value = read('YAML', () => parseYaml(text)) as JsonValue // CORE_SCHEMA makes nothing else
  return parseJson(jsonText(value, budget))
}

function lookup(whole: readonly JsonValue[] | JsonObject, key: string | number): JsonValue {
  if (Array.isArray(whole) !== (typeof key === 'number')) {
    throw evaluationError('an object is looked up by a text, an array by a number', { found: typeName(key) })
  }
  if (typeof key === 'number' && !Number.isSafeInteger(key)) throw evaluationError('an index is a whole number')
  return memberOf(whole, String(key)) ?? null
}

function items(whole: readonly JsonValue[] | JsonObject, keyName: string, valueName: string): JsonValue {
  const entries = Object.entries(whole) as readonly (readonly [string, JsonValue])[]
  if (Array.isArray(whole)) return entries.map(([key, value]) => pair([keyName, Number(key)], [valueName, value]))
  const ordered = [...entries].sort(([a], [b]) => (a < b ? -1 : 1))
  return ordered.map(([key, value]) => pair([keyName, key], [valueName, value]))
}

function pair(...entries: readonly (readonly [string, JsonValue])[]): JsonValue {
  return Object.fromEntries(entries)
}

function objectFromLists(keys: readonly JsonValue[], values: readonly JsonValue[]): JsonValue {
  return Object.fromEntries(
    keys.map((key, index) => {
      if (key === null || typeof key === 'object') throw evaluationError('a name is a text', { found: typeName(key) })
      return [typeof key === 'boolean' ? String(key) : textOf(key), values[index] ?? null]
    }),
  )
}

function normalized(text: string): string {
  return read('an image name', () => imageInfo({ text, reference: parseReference(text) }).reference)
}

/** By the address alone. A name would have to be looked up, and what it is then can be another thing a moment later. */
function isExternal(text: string): boolean {
  const host = read('a URL', () => new URL(text)).hostname
  const [a, b, ...rest] = host.split('.').map(Number)
  if (
    a !== undefined &&
    b !== undefined &&
    rest.length === 2 &&
    [a, b, ...rest].every((part) => part >= 0 && part < 256)
  ) {
    return !(a === 127 || a === 10 || (a === 172 && b >= 16 && b < 32) || (a === 192 && b === 168))
  }
  if (!host.startsWith('[') || host.includes('.') || host.startsWith('[::ffff:')) {
    throw evaluationError('only addresses are told apart, names are not looked up', { found: host.slice(0, 80) })
  }
  return !(host === '[::1]' || /^\[f[cd]/.test(host))
}
