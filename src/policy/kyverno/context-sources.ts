/** Where variables come from: each kind of context entry. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import type { Clock } from '#time'
import type { CompileExpression } from '../jmespath/expression.js'
import { compileTemplate } from '../jmespath/template.js'
import type { Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'
import type { PlanServices } from '../internal/policy.js'
import { clusterAddress } from './api-address.js'
import { guarded, invalidValue, oneOf, required } from './complain.js'
import { imageData } from './image-data.js'
import type { Scope } from './scope.js'
import { isOpen } from './variables.js'

/** What reading an entry takes. */
export interface ContextReading {
  readonly compile: CompileExpression
  /** Of a namespaced policy, which must not read what is others'. */
  readonly namespace: string | undefined
}

/** How an entry is loaded. */
export interface Source {
  readonly explained: string
  readonly load: (scope: Scope, services: PlanServices) => Promise<JsonValue>
  readonly warnings?: readonly string[]
}

export function readConfigMap(fields: Fields, reading: ContextReading): Source {
  fields.only('name', 'namespace')
  const [name, namespace] = [fields.text('name'), fields.text('namespace') ?? reading.namespace ?? 'default']
  if (name === undefined) required(fields, 'name', 'a name is required for configMap context entry')
  const fill = readTexts(fields, { name: name ?? '', namespace }, reading)
  return {
    explained: `the ConfigMap ${namespace}/${name ?? ''}`,
    load: async (scope, { cluster, clock, signal }) => {
      const filled = await fill(scope, clock)
      const [at, called] = [textOf(filled, 'namespace'), textOf(filled, 'name')]
      if (reading.namespace !== undefined && at !== reading.namespace)
        throw new PolicyError('POLICY_CONTEXT', `the ConfigMap ${at}/${called} is not of the policy's own namespace`, {
          hint: 'a namespaced policy reads nothing of others; use a ClusterPolicy',
        })
      const found = await cluster.get({ apiVersion: 'v1', resource: 'configmaps', namespace: at }, called, signal)
      if (found === undefined)
        throw new PolicyError('POLICY_CLUSTER', `failed to get configmap ${at}/${called}: there is none`)
      return { data: found['data'] ?? {}, metadata: found['metadata'] ?? {} }
    },
  }
}

export function readApiCall(fields: Fields, reading: ContextReading): Source {
  fields.only('urlPath', 'method', 'data', 'service', 'default', 'jmesPath')
  const path = fields.text('urlPath')
  const method = oneOf(fields, 'method', ['GET', 'POST']) ?? 'GET'
  if (fields.has('service')) {
    if (path !== undefined) invalidValue(fields, 'a URLPath cannot be used for service API calls')
    return serviceCall(fields)
  }
  if (path === undefined) required(fields, 'urlPath', 'a path below the API server')
  const body = fields.objects('data').map((each) => {
    each.only('key', 'value')
    return [each.text('key') ?? '', each.get('value') ?? null] as const
  })
  const address =
    path === undefined ? undefined : guarded(fields, 'urlPath', () => clusterAddress(path, { ...reading, method }))
  const fill = readTexts(fields, { body: Object.fromEntries(body) }, reading)
  const select = readExpression(fields, reading)
  const otherwise = fields.get('default')
  return {
    explained: `${method} ${path ?? ''}`,
    load: async (scope, { cluster, clock, signal }) => {
      const filled = await fill(scope, clock)
      const url = await scope.evaluate((data) => address?.(data, clock) ?? '')
      const call = method === 'POST' ? { method, body: filled['body'] ?? {} } : { method }
      try {
        return await select(await cluster.call(url, call, signal), scope, clock)
      } catch (error) {
        if (otherwise === undefined || !isCodedError(error) || error.code !== 'POLICY_CLUSTER') throw error
        return otherwise
      }
    },
  }
}

/** An address of anybody's choosing must not be called from where the policies are judged. */
function serviceCall(fields: Fields): Source {
  const why = `${fields.at('service')}: calls of services are not supported`
  return {
    explained: 'a call of a service, which is not supported',
    warnings: [`${why}: the rule refuses whatever needs this entry`],
    load: () => Promise.reject(new PolicyError('POLICY_UNSUPPORTED', why)),
  }
}

export function readImageRegistry(fields: Fields, reading: ContextReading): Source {
  fields.only('reference', 'jmesPath', 'imageRegistryCredentials')
  const reference = fields.text('reference')
  if (reference === undefined) required(fields, 'reference', 'a ref is required for imageRegistry context entry')
  const fill = readTexts(fields, { reference: reference ?? '' }, reading)
  const select = readExpression(fields, reading)
  return {
    explained: `the image ${reference ?? ''}`,
    load: async (scope, services) => {
      const filled = await fill(scope, services.clock)
      return await select(await imageData(textOf(filled, 'reference'), services), scope, services.clock)
    },
  }
}

export function readGlobalReference(fields: Fields, reading: ContextReading): Source {
  fields.only('name', 'jmesPath')
  const name = fields.text('name')
  if (name === undefined) required(fields, 'name', 'a name is required for globalReference context entry')
  const fill = readTexts(fields, { name: name ?? '' }, reading)
  const select = readExpression(fields, reading)
  return {
    explained: `the global context entry ${name ?? ''}`,
    load: async (scope, { cluster, clock, signal }) => {
      const [entry = '', projection] = textOf(await fill(scope, clock), 'name').split('.')
      return await select(await cluster.globalContext(entry, projection, signal), scope, clock)
    },
  }
}

export function readVariable(fields: Fields, reading: ContextReading): Source {
  fields.only('value', 'jmesPath', 'default')
  const [value, fallback, path] = [fields.get('value'), fields.get('default'), fields.text('jmesPath')]
  if (value === undefined && path === undefined)
    invalidValue(fields, 'a variable must define a value or a jmesPath expression')
  const fill = readTexts(fields, { value: value ?? null, fallback: fallback ?? null }, reading)
  const select = readExpression(fields, reading)
  return {
    explained: path ?? 'a value',
    load: async (scope, { clock }) => {
      const { value: given = null, fallback: otherwise = null } = await fill(scope, clock)
      const found = await orNothing(otherwise !== null, () =>
        select(value === undefined ? undefined : given, scope, clock),
      )
      if (found !== null) return found
      if (otherwise !== null) return otherwise
      throw new PolicyError('POLICY_CONTEXT', 'it evaluated to nothing')
    },
  }
}

/** A name that is not there, or a function that cannot do with it, is what a default is for. */
async function orNothing(tolerated: boolean, work: () => Promise<JsonValue>): Promise<JsonValue> {
  try {
    return await work()
  } catch (error) {
    if (!tolerated || !isCodedError(error) || !error.code.startsWith('JMESPATH_')) throw error
    return null
  }
}

/** Applies a `jmesPath` to a value, or to the variables themselves where there is none. */
type Select = (of: JsonValue | undefined, scope: Scope, clock: Clock) => Promise<JsonValue>

function readExpression(fields: Fields, { compile }: ContextReading): Select {
  const source = fields.text('jmesPath')
  if (source === undefined) return (of) => Promise.resolve(of ?? null)
  const fixed = isOpen(source) ? undefined : guarded(fields, 'jmesPath', () => compile(source))
  const open = isOpen(source) ? guarded(fields, 'jmesPath', () => compileTemplate(compile, source)) : undefined
  return async (of, scope, clock) => {
    const filled = open === undefined ? source : await scope.evaluate((data) => open.substitute(data, clock))
    const expression = fixed ?? compile(typeof filled === 'string' ? filled : '')
    if (of !== undefined) return expression.evaluate(of, clock)
    return await scope.evaluate((data) => expression.evaluate(data, clock))
  }
}

type Fill = (scope: Scope, clock: Clock) => Promise<JsonObject>

function readTexts(fields: Fields, texts: JsonObject, { compile }: ContextReading): Fill {
  const template = guarded(fields, undefined, () => compileTemplate(compile, texts))
  return async (scope, clock) => {
    const filled = await scope.evaluate((data) => template?.substitute(data, clock) ?? {})
    return isJsonObject(filled) ? filled : {}
  }
}

function textOf(filled: JsonObject, name: string): string {
  const text = filled[name]
  if (typeof text === 'string') return text
  throw new PolicyError('POLICY_CONTEXT', `variables make no text of ${name}`, {
    found: JSON.stringify(text).slice(0, 80),
  })
}
