/** GlobalContextEntry (kyverno.io/v2): values that many policies ask for, under one name. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { Clock } from '#time'
import { parseDuration } from '../jmespath/duration.js'
import { loadJmesPath } from '../jmespath/expression.js'
import type { CompileExpression, Expression } from '../jmespath/expression.js'
import type { ClusterCall, ResourceList } from '../internal/cluster.js'
import { Complaints, Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'
import { clusterAddress } from './api-address.js'
import { guarded, invalidValue, required } from './complain.js'

/** Where the value of an entry is from. */
export type EntrySource =
  | { readonly kind: 'list'; readonly of: ResourceList }
  /** Asked for anew once it is so old, in milliseconds. */
  | { readonly kind: 'call'; readonly path: string; readonly call: ClusterCall; readonly refreshMillis: number }

export interface GlobalContextEntry {
  readonly source: EntrySource
  readonly projections: ReadonlyMap<string, Expression>
}

const DEFAULT_REFRESH = '10m'
const MAX_PROJECTIONS = 100

/**
 * Reads an entry.
 * @throws PolicyError `POLICY_FIELD` with everything that is wrong, `POLICY_UNSUPPORTED` for one that calls a service
 */
export async function readGlobalContextEntry(document: JsonObject): Promise<GlobalContextEntry> {
  const complaints = new Complaints()
  const spec = new Fields(isJsonObject(document['spec']) ? document['spec'] : {}, 'spec', complaints)
  spec.only('kubernetesResource', 'apiCall', 'projections')
  const compile = await loadJmesPath()
  const source = readSource(spec, compile)
  const projections = readProjections(spec, compile)
  complaints.throwIfAny('the GlobalContextEntry cannot be read: ')
  // Without a complaint there is one.
  if (source === undefined) throw new PolicyError('POLICY_FIELD', 'the GlobalContextEntry has no source')
  return { source, projections }
}

/**
 * A part of what an entry holds, by the name that the entry gives it.
 * @throws PolicyError `POLICY_CLUSTER` if it has none of this name, or nothing under it
 */
export function projectionOf(
  { projections }: GlobalContextEntry,
  name: string,
  { value, clock }: { readonly value: JsonValue; readonly clock: Clock },
): JsonValue {
  const expression = projections.get(name)
  const found = expression?.evaluate(value, clock) ?? null
  if (found !== null) return found
  throw new PolicyError('POLICY_CLUSTER', `the global context entry has nothing under the projection ${name}`, {
    expected: [...projections.keys()].join(' or ') || 'no projection',
    found: name,
  })
}

function readSource(spec: Fields, compile: CompileExpression): EntrySource | undefined {
  const [resource, call] = [spec.object('kubernetesResource'), spec.object('apiCall')]
  if ((resource === undefined) === (call === undefined)) {
    spec.complaints.add('A global context entry should either have KubernetesResource or APICall')
    return undefined
  }
  if (resource !== undefined) return readResource(resource)
  return call === undefined ? undefined : readCall(call, compile)
}

function readResource(fields: Fields): EntrySource {
  fields.only('group', 'version', 'resource', 'namespace')
  const [group = '', version, resource] = [fields.text('group'), fields.text('version'), fields.text('resource')]
  if (version === undefined) required(fields, 'version', 'A Resource entry requires a version')
  if (resource === undefined) required(fields, 'resource', 'A Resource entry requires a resource')
  if (group === '' && version !== 'v1') required(fields, 'group', 'A Resource entry requires a group')
  const apiVersion = group === '' ? (version ?? '') : `${group}/${version ?? ''}`
  return { kind: 'list', of: { apiVersion, resource: resource ?? '', namespace: fields.text('namespace') } }
}

function readCall(fields: Fields, compile: CompileExpression): EntrySource {
  fields.only('urlPath', 'method', 'data', 'service', 'refreshInterval', 'retryLimit')
  if (fields.has('service')) {
    throw new PolicyError('POLICY_UNSUPPORTED', `${fields.at('service')}: calls of services are not supported`, {
      hint: 'an address of anybody’s choosing must not be called from where policies are judged',
    })
  }
  const written = fields.text('urlPath')
  const asked = fields.text('method') ?? 'GET'
  const method = asked === 'POST' ? 'POST' : 'GET'
  if (written === undefined) required(fields, 'urlPath', 'a path below the API server')
  if (asked !== method) invalidValue(fields, 'expected GET or POST', 'method')
  const data = fields.objects('data').map((each) => {
    each.only('key', 'value')
    return [each.text('key') ?? '', each.get('value') ?? null] as const
  })
  if (data.length > 0 && method !== 'POST')
    invalidValue(fields, 'An External API call with data should have method as POST', 'method')
  const interval = fields.text('refreshInterval') ?? DEFAULT_REFRESH
  const nanoseconds = parseDuration(interval)
  if (nanoseconds === undefined || nanoseconds <= 0n)
    invalidValue(fields, 'A Resource entry requires a refresh interval greater than 0 seconds', 'refreshInterval')
  if (written?.includes('{{') === true)
    invalidValue(fields, 'an entry is of no review, and has no variables', 'urlPath')
  const path = guarded(fields, 'urlPath', () =>
    clusterAddress(written ?? '', { compile, namespace: undefined, method })(null, () => 0),
  )
  return {
    kind: 'call',
    path: path ?? '',
    call: method === 'POST' ? { method, body: Object.fromEntries(data) } : { method: 'GET' },
    refreshMillis: Number((nanoseconds ?? 0n) / 1_000_000n),
  }
}

function readProjections(spec: Fields, compile: CompileExpression): ReadonlyMap<string, Expression> {
  const projections = spec.objects('projections')
  if (projections.length > MAX_PROJECTIONS)
    invalidValue(spec, `expected at most ${String(MAX_PROJECTIONS)}`, 'projections')
  return new Map(
    projections.slice(0, MAX_PROJECTIONS).flatMap((fields) => {
      fields.only('name', 'jmesPath')
      const [name, path] = [fields.text('name'), fields.text('jmesPath')]
      if (name === undefined) required(fields, 'name', 'A projection entry requires a name')
      if (path === undefined) required(fields, 'jmesPath', 'A projection entry requires a JMESPath')
      const expression = path === undefined ? undefined : guarded(fields, 'jmesPath', () => compile(path))
      return name === undefined || expression === undefined ? [] : [[name, expression] as const]
    }),
  )
}
