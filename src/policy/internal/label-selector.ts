/** Kubernetes label selectors. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Fields } from './fields.js'

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const
type Operator = (typeof OPERATORS)[number]

interface Expression {
  readonly key: string
  readonly operator: Operator
  readonly values: readonly string[]
}

/** A selector; all of it must hold. An empty one selects everything. */
export interface LabelSelector {
  readonly labels: ReadonlyMap<string, string>
  readonly expressions: readonly Expression[]
}

/** Reads a selector; complaints are the fields' own. */
export function readLabelSelector(fields: Fields): LabelSelector {
  fields.only('matchLabels', 'matchExpressions')
  const expressions = fields.objects('matchExpressions').flatMap((each): Expression[] => {
    each.only('key', 'operator', 'values')
    const [key, operator] = [each.text('key'), OPERATORS.find((known) => known === each.text('operator'))]
    const values = each.texts('values')
    if (key === undefined) each.complaints.missing(each.at('key'))
    if (operator === undefined)
      each.complaints.invalid(
        each.text('operator') ?? '',
        each.at('operator'),
        `expected one of ${OPERATORS.join(', ')}`,
      )
    const needsValues = operator === 'In' || operator === 'NotIn'
    if (operator !== undefined && needsValues !== values.length > 0)
      each.complaints.invalid(values.join(','), each.at('values'), needsValues ? 'expected a value' : 'expected none')
    return key === undefined || operator === undefined ? [] : [{ key, operator, values }]
  })
  return { labels: fields.textMap('matchLabels'), expressions }
}

/** Whether labels are selected. */
export function selectsLabels({ labels, expressions }: LabelSelector, of: ReadonlyMap<string, string>): boolean {
  return (
    [...labels].every(([key, value]) => of.get(key) === value) &&
    expressions.every(({ key, operator, values }) => HOLDS[operator](of.get(key), values))
  )
}

const HOLDS: Readonly<Record<Operator, (value: string | undefined, values: readonly string[]) => boolean>> = {
  In: (value, values) => value !== undefined && values.includes(value),
  NotIn: (value, values) => value === undefined || !values.includes(value),
  Exists: (value) => value !== undefined,
  DoesNotExist: (value) => value === undefined,
}

/** The labels of a resource; what is no text is none. */
export function labelsOf(resource: JsonObject | undefined): ReadonlyMap<string, string> {
  const metadata: JsonValue | undefined = resource?.['metadata']
  const texts = isJsonObject(metadata) ? metadata['labels'] : undefined
  if (!isJsonObject(texts)) return new Map()
  return new Map(Object.entries(texts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
