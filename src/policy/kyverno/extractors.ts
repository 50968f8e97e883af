/** `imageExtractors`: where images are in resources that hold no pod specification. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import type { CompileExpression, Expression } from '../jmespath/expression.js'
import type { Fields } from '../internal/fields.js'
import { escapeStep, namesSomething, podImages } from '../internal/pod-images.js'
import type { ImagePlace } from '../internal/pod-images.js'
import { PolicyError } from '../internal/policy-error.js'
import type { Review } from '../internal/review.js'
import { guarded, invalidValue, required } from './complain.js'

/** One place in resources of a kind. */
interface Extractor {
  readonly steps: readonly string[]
  readonly value: string
  /** What the group is called in the variable `images`. */
  readonly group: string
  /** Which field tells one from another. */
  readonly key: string | undefined
  readonly transform: Expression | undefined
}

/** By kind. */
export type Extractors = ReadonlyMap<string, readonly Extractor[]>

/** Images in a review. */
export type Extract = (review: Review) => readonly ImagePlace[]

const MAX_STEPS = 50
const MAX_EXTRACTORS = 100
const MAX_PLACES = 2000

/** Whether one of the extractors changes what it finds: a digest could not be written back. */
export function transforms(extractors: Extractors): boolean {
  return [...extractors.values()].flat().some(({ transform }) => transform !== undefined)
}

/** Reads the extractors of a rule; none where it has none. */
export function readExtractors(rule: Fields, compile: CompileExpression): Extractors {
  const fields = rule.object('imageExtractors')
  if (fields === undefined) return new Map()
  return new Map(
    Object.keys(fields.value).map((kind) => {
      const list = fields.objects(kind)
      if (list.length === 0 || list.length > MAX_EXTRACTORS)
        invalidValue(fields, `expected 1 to ${String(MAX_EXTRACTORS)} places`, kind)
      return [kind, list.slice(0, MAX_EXTRACTORS).flatMap((each) => readExtractor(each, compile))] as const
    }),
  )
}

function readExtractor(fields: Fields, compile: CompileExpression): readonly Extractor[] {
  fields.only('path', 'value', 'name', 'key', 'jmesPath')
  const steps = (fields.text('path') ?? '')
    .split('/')
    .map((step) => step.trim())
    .filter((step) => step !== '')
  const last = steps.at(-1)
  if (last === undefined || steps.length > MAX_STEPS) {
    required(fields, 'path', `a path of 1 to ${String(MAX_STEPS)} steps`)
    return []
  }
  const source = fields.text('jmesPath')
  const value = fields.text('value')
  if (value === undefined && last === '*') invalidValue(fields, 'without a value, the path ends with its name', 'path')
  return [
    {
      steps: value === undefined ? steps.slice(0, -1) : steps,
      value: value ?? last,
      group: fields.text('name') ?? 'custom',
      key: fields.text('key'),
      transform: source === undefined ? undefined : guarded(fields, 'jmesPath', () => compile(source)),
    },
  ]
}

/** The places of a review; kinds without an extractor have them where pods have them. */
export function extractorOf(extractors: Extractors, clock: Clock): Extract {
  return (review) => {
    const own = extractors.get(review.kind.kind)
    if (own === undefined) return podImages(review.kind.kind, review.object)
    return own.flatMap((extractor) => placesOf(extractor, review.object, clock))
  }
}

interface Found {
  readonly path: readonly string[]
  readonly holder: JsonObject
}

function placesOf(extractor: Extractor, object: JsonObject, clock: Clock): readonly ImagePlace[] {
  const { value, group, key, transform } = extractor
  return walk(object, [], extractor.steps).flatMap(({ path, holder }): readonly ImagePlace[] => {
    const found = memberOf(holder, value)
    if (!namesSomething(found)) return []
    const pointer = `/${[...path, value].map(escapeStep).join('/')}`
    const name = key === undefined ? pointer : memberOf(holder, key)
    if (typeof name !== 'string') throw unreadable(`the ${key ?? ''} beside it is no text`, pointer)
    const at = [...path, value].map((step) => (/^\d+$/.test(step) ? `[${step}]` : `.${step}`)).join('')
    const image = transform === undefined ? found : transform.evaluate(found ?? null, clock)
    return [{ group, name, path: at.replace(/^\./, ''), pointer, value: image }]
  })
}

/** Every object at the end of the path. What is not there ends a branch; what is there and leads on to nothing is refused. */
function walk(value: JsonValue | undefined, path: readonly string[], steps: readonly string[]): readonly Found[] {
  if (value === undefined || value === null) return []
  const [step, ...rest] = steps
  if (step === '*' && typeof value === 'object') {
    const branches = Object.entries(value) as readonly (readonly [string, JsonValue])[]
    if (branches.length > MAX_PLACES) throw unreadable('there are too many', path.join('/'))
    return branches.flatMap(([name, each]) => walk(each, [...path, name], rest))
  }
  if (!isJsonObject(value)) throw unreadable('it is not where it should be', path.join('/'))
  if (step === undefined) return [{ path, holder: value }]
  return walk(memberOf(value, step), [...path, step], rest)
}

function memberOf(value: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(value, name) ? value[name] : undefined
}

function unreadable(why: string, at: string): PolicyError {
  return new PolicyError('POLICY_IMAGE', `an image cannot be read: ${why}`, { found: at.slice(0, 200) })
}
