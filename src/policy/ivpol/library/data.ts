/** Texts as data: hashes, JSON, YAML, gzip, and lists as maps. @module */
import { gunzipSync, gzipSync } from 'node:zlib'
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { evaluationError } from '../../cel/cel-error.js'
import { free, member } from '../../cel/environment.js'
import type { Library, Overload, World } from '../../cel/environment.js'
import { fromJsonText, toJson } from '../../cel/json.js'
import { bytes, double, duration, dyn, int, list, map, opaqueKind, string, timestamp } from '../../cel/kind.js'
import { textOf } from '../../cel/texts.js'
import { calendarFields, timestampOf } from '../../cel/times.js'
import type { CelType } from '../../cel/types.js'
import { CelMap, EntryMap, PENDING } from '../../cel/values.js'
import type { CelList, CelValue } from '../../cel/values.js'
import { Namespace, surroundingsOf } from '../contexts.js'

const hash: readonly Overload[] = [
  free([string], string, ([text], { budget }) => {
    budget.read(text.length)
    return encodeHex(sha256(encodeUtf8(text)))
  }),
]

const merge: readonly Overload[] = [
  free([list(dyn), list(dyn), string, string], map(dyn, dyn), ([keys, values, keyName, valueName], world) =>
    merged([keys, values], [keyName, valueName], world),
  ),
]

function merged(
  [keys, values]: readonly [CelList, CelList],
  [keyName, valueName]: readonly [string, string],
  { budget }: World,
): CelValue {
  if (keys.length !== values.length) throw evaluationError('listObjToMap must take lists of equal length')
  budget.elements(keys.length)
  return new EntryMap(
    keys.map((entry, index) => {
      const key = fieldOf(entry, keyName)
      if (typeof key !== 'string')
        throw evaluationError('the passed key name cannot be handled as a string in the key object list')
      return [key, fieldOf(values[index] ?? null, valueName)] as const
    }),
  )
}

function fieldOf(entry: CelValue, name: string): CelValue {
  if (!(entry instanceof CelMap)) throw evaluationError('listObjToMap takes lists of objects')
  const value = entry.get(name)
  if (value === PENDING) throw evaluationError('listObjToMap takes lists of objects')
  return value ?? null
}

/** Most bytes that a compressed text may unfold to. */
const MAX_UNPACKED = 1_000_000

function unpacked(data: Uint8Array, world: World): string {
  world.budget.make(data.length)
  try {
    return textOf(gunzipSync(data, { maxOutputLength: MAX_UNPACKED }), world.budget)
  } catch (cause) {
    if (isCodedError(cause)) throw cause
    throw evaluationError('not gzip, or it unfolds to too much', {
      expected: `at most ${String(MAX_UNPACKED)} bytes`,
      cause,
    })
  }
}

const json = opaqueKind('json.Json', Namespace)
const yaml = opaqueKind('yaml.Yaml', Namespace)

export const JSON_CONTEXT: { readonly type: CelType; readonly value: Namespace } = {
  type: json.type,
  value: new Namespace('json.Json'),
}
export const YAML_CONTEXT: { readonly type: CelType; readonly value: Namespace } = {
  type: yaml.type,
  value: new Namespace('yaml.Yaml'),
}

function parsed(text: CelValue, world: World, parse: (text: string) => JsonValue): CelValue {
  if (typeof text !== 'string') throw evaluationError('only a text can be parsed')
  world.budget.make(text.length)
  world.budget.points(text.length)
  try {
    return fromJsonText(parse(text))
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw evaluationError(cause.message, { found: cause.found, cause })
  }
}

/** Halves away from zero. */
function rounded(value: number, digits: bigint): number {
  const shift = 10 ** Number(digits)
  const scaled = value * shift
  const whole = Math.trunc(scaled)
  return (Math.abs(scaled - whole) >= 0.5 ? whole + Math.sign(scaled) : whole) / shift
}

/** Functions on data; YAML is parsed by a library that has been loaded. */
export function dataFunctions(parseYaml: (text: string) => JsonValue): Library {
  return {
    sha256: hash,
    'hash.sha256': hash,
    listObjToMap: merge,
    'transform.listObjToMap': merge,
    'gzip.decompress': [free([bytes], string, ([data], world) => unpacked(data, world))],
    'gzip.compress': [
      free([dyn], bytes, ([text], { budget }) => {
        if (typeof text !== 'string') throw evaluationError('only a text can be compressed')
        budget.make(text.length)
        return new Uint8Array(gzipSync(encodeUtf8(text)))
      }),
    ],
    unmarshal: [member([json, dyn], dyn, ([, text], world) => parsed(text, world, parseJson))],
    marshal: [member([json, dyn], string, ([, value], { budget }) => JSON.stringify(toJson(value, budget)))],
    parse: [member([yaml, string], dyn, ([, text], world) => parsed(text, world, parseYaml))],
    'math.round': [free([double, int], double, ([value, digits]) => rounded(value, digits))],
    ...TIMES,
  }
}

const TIMES: Library = {
  'time.now': [free([], timestamp, (_, world) => surroundingsOf(world).now)],
  'time.toCron': [
    free([timestamp], string, ([time]) => {
      const { minutes, hours, day, month, weekday } = calendarFields(time)
      return [minutes, hours, day, month + 1, weekday].join(' ')
    }),
  ],
  'time.truncate': [
    free([timestamp, duration], timestamp, ([{ nanos }, { nanos: step }]) => {
      // Counted from the first moment of the year 1, as Go does.
      const since = nanos + 62_135_596_800n * 1_000_000_000n
      return timestampOf(step <= 0n ? nanos : nanos - (since % step))
    }),
  ],
}
