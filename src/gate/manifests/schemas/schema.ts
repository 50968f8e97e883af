/** Structural schemas (OpenAPI v3), as CustomResourceDefinitions take them: every field with its type and what it means. @module */
import type { JsonObject, JsonValue } from '#encoding/json'

export type Schema = JsonObject

export function text(description: string, limits: JsonObject = {}): Schema {
  return { type: 'string', description, ...limits }
}

/** One of a few texts. */
export function choice(description: string, values: readonly string[]): Schema {
  return text(description, { enum: values })
}

export function flag(description: string): Schema {
  return { type: 'boolean', description }
}

export function whole(description: string, limits: JsonObject = {}): Schema {
  return { type: 'integer', description, ...limits }
}

/** A point in time, RFC 3339. */
export function time(description: string): Schema {
  return text(description, { format: 'date-time' })
}

export function list(description: string, items: Schema, limits: JsonObject = {}): Schema {
  return { type: 'array', description, items, ...limits }
}

export function texts(description: string, limits: JsonObject = {}): Schema {
  return list(description, { type: 'string' }, limits)
}

/** An object with these fields; a name that ends in `!` is of a field that must be there. */
export function object(description: string, fields: Readonly<Record<string, Schema>>): Schema {
  const entries = Object.entries(fields).map(([name, schema]) => [name.replace(/!$/, ''), schema] as const)
  const required = Object.keys(fields).flatMap((name) => (name.endsWith('!') ? [name.slice(0, -1)] : []))
  return {
    type: 'object',
    description,
    properties: Object.fromEntries(entries),
    ...(required.length > 0 && { required }),
  }
}

/** Texts by any name. */
export function record(description: string, values: Schema = { type: 'string' }): Schema {
  return { type: 'object', description, additionalProperties: values }
}

/** Any JSON; whoever reads it checks it. */
export function anything(description: string): Schema {
  return { description, 'x-kubernetes-preserve-unknown-fields': true }
}

/** An object of any fields. */
export function anyObject(description: string): Schema {
  return { type: 'object', ...anything(description) }
}

/** A schema with other words, where one thing stands in two places. */
export function described(schema: Schema, description: string): Schema {
  return { ...schema, description }
}

export function labelSelector(description: string): Schema {
  return object(description, {
    matchLabels: record('Labels that must all be there, with these values.'),
    matchExpressions: list(
      'Conditions that must all hold.',
      object('A condition on one label.', {
        'key!': text('The label.'),
        'operator!': text('In, NotIn, Exists or DoesNotExist.'),
        values: texts('For In and NotIn.'),
      }),
    ),
  })
}

/** What controllers say about an object. */
export function conditions(): Schema {
  return list(
    'What is to be said of it.',
    object('One thing to say.', {
      'type!': text('What it is about, such as Ready.'),
      'status!': choice('Whether it holds.', ['True', 'False', 'Unknown']),
      reason: text('Why, for programs.'),
      message: text('Why, for people.'),
      lastTransitionTime: time('When it began to be so.'),
      observedGeneration: whole('Of which generation of the object it is said.', { format: 'int64' }),
    }),
    { 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] },
  )
}

/** A status that others, or other versions of this program, may add to. */
export function status(fields: Readonly<Record<string, Schema>> = {}): Schema {
  const known: JsonObject = object('What the gate says of it.', {
    conditions: conditions(),
    observedGeneration: whole('Which generation this is about.', { format: 'int64' }),
    ...fields,
  })
  return { ...known, 'x-kubernetes-preserve-unknown-fields': true }
}

/** The schema of a kind. */
export function kind(description: string, fields: Readonly<Record<string, Schema>>): Schema {
  const { properties, ...rest } = object(description, fields)
  const common: Readonly<Record<string, JsonValue>> = {
    apiVersion: { type: 'string' },
    kind: { type: 'string' },
    metadata: { type: 'object' },
  }
  return { ...rest, properties: { ...common, ...(properties as JsonObject) } }
}
