/** Entries of `context`: variables that a rule takes from the cluster, a registry, or other variables. @module */
import type { JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { isOutage } from '../internal/outage.js'
import type { Fields } from '../internal/fields.js'
import { PolicyError } from '../internal/policy-error.js'
import type { PlanServices } from '../internal/policy.js'
import { invalidValue, required } from './complain.js'
import { readApiCall, readConfigMap, readGlobalReference, readImageRegistry, readVariable } from './context-sources.js'
import type { ContextReading, Source } from './context-sources.js'
import type { LazyVariable } from './scope.js'

/** An entry that was read; it is loaded for one review. */
export interface ContextEntry {
  readonly name: string
  /** For `policy explain`. */
  readonly explained: string
  readonly warnings: readonly string[]
  bind(services: PlanServices): LazyVariable
}

const MAX_ENTRIES = 100
const RESERVED = ['images', 'request', 'serviceAccountName', 'serviceAccountNamespace', 'element', 'elementIndex']

const SOURCES = {
  configMap: readConfigMap,
  apiCall: readApiCall,
  imageRegistry: readImageRegistry,
  variable: readVariable,
  globalReference: readGlobalReference,
} as const satisfies Readonly<Record<string, (fields: Fields, reading: ContextReading) => Source>>

type SourceName = keyof typeof SOURCES
const SOURCE_NAMES = Object.keys(SOURCES) as readonly SourceName[]

/** Reads the entries of a rule. */
export function readContext(rule: Fields, reading: ContextReading): readonly ContextEntry[] {
  const entries = rule.objects('context')
  if (entries.length > MAX_ENTRIES) invalidValue(rule, `expected at most ${String(MAX_ENTRIES)} entries`, 'context')
  return entries.slice(0, MAX_ENTRIES).flatMap((entry) => readEntry(entry, reading))
}

function readEntry(fields: Fields, reading: ContextReading): readonly ContextEntry[] {
  fields.only('name', ...SOURCE_NAMES)
  const name = fields.text('name')
  if (name === undefined) required(fields, 'name', 'a name is required for context entries')
  else refuseReserved(fields, name)
  const [kind, ...more] = SOURCE_NAMES.filter((each) => fields.has(each))
  if (kind === undefined || more.length > 0)
    invalidValue(fields, `exactly one of ${SOURCE_NAMES.join(' or ')} is required for context entries`)
  const part = kind === undefined ? undefined : fields.object(kind)
  if (kind === undefined || part === undefined || name === undefined) return []
  const { explained, load, warnings = [] } = SOURCES[kind](part, reading)
  const bind = (services: PlanServices): LazyVariable => ({
    name,
    load: (before) => named(name, () => load(before, services)),
  })
  return [{ name, explained: `${name}: ${explained}`, warnings, bind }]
}

function refuseReserved(fields: Fields, name: string): void {
  const conflict = RESERVED.find((each) => name === each || name.startsWith(`${each}.`))
  if (conflict === undefined) return
  invalidValue(fields, `entry name ${name} is invalid as it conflicts with a pre-defined variable ${conflict}`, 'name')
}

/** Errors say which entry it was; whether it was the other side that could not be asked must be seen still. */
async function named(name: string, work: () => Promise<JsonValue>): Promise<JsonValue> {
  try {
    return await work()
  } catch (error) {
    if (!isCodedError(error) || error.code === 'POLICY_DEADLINE') throw error
    const { message, expected, found, hint } = error
    const code = isOutage(error) ? 'POLICY_CLUSTER' : error instanceof PolicyError ? error.code : 'POLICY_CONTEXT'
    const detail = { expected, found, hint, cause: error }
    throw new PolicyError(code, `failed to load context entry ${name}: ${message}`, detail)
  }
}
