/** What the expressions of an image validating policy may name, as Kyverno's do. @module */
import type { JsonValue } from '#encoding/json'
import type { CelEnvironment } from '../cel/environment.js'
import { KUBERNETES, NAMESPACE, REQUEST_WITH_OBJECTS } from '../cel/kubernetes.js'
import { DYN, listOf, mapOf, objectType, STRING } from '../cel/types.js'
import type { CelType } from '../cel/types.js'
import type { CelValue } from '../cel/values.js'
import { GLOBAL_CONTEXT, GLOBAL_CONTEXTS, RESOURCE_CONTEXT, resources } from './library/cluster.js'
import { dataFunctions, JSON_CONTEXT, YAML_CONTEXT } from './library/data.js'
import { IMAGE_DATA, IMAGE_DATA_CONTEXT, IMAGES } from './library/images.js'
import { USERS } from './library/users.js'
import { verification } from './library/verification.js'
import type { DeclaredAttestation } from './library/verification.js'

/** Variables that are the same for every review. */
const CONTEXTS: Readonly<Record<string, { readonly type: CelType; readonly value: CelValue }>> = {
  resource: RESOURCE_CONTEXT,
  globalContext: GLOBAL_CONTEXT,
  image: IMAGE_DATA_CONTEXT,
  json: JSON_CONTEXT,
  yaml: YAML_CONTEXT,
}

const WEAK = 'it is no digest to rely on; use sha256'
const CHANCE = 'a verdict does not depend on chance'

const REFUSED = {
  http: 'a policy does not make requests to addresses of its own choice; a GlobalContextEntry can hold what they say',
  random: CHANCE,
  'random.random': CHANCE,
  md5: WEAK,
  sha1: WEAK,
  'hash.md5': WEAK,
  'hash.sha1': WEAK,
}

/** The part of a policy that its environment depends on. */
export interface Declarations {
  /** Of a namespaced policy. */
  readonly namespace: string | undefined
  /** `JSON`: on any JSON, without a request. */
  readonly mode: 'Kubernetes' | 'JSON'
  readonly attestations: ReadonlyMap<string, DeclaredAttestation>
}

/** The environment before any of the policy's own variables. */
export function policyEnvironment(
  { namespace, mode, attestations }: Declarations,
  parseYaml: (text: string) => JsonValue,
): CelEnvironment {
  const environment = KUBERNETES.withFunctions(
    verification(attestations),
    IMAGES,
    IMAGE_DATA,
    resources(namespace),
    GLOBAL_CONTEXTS,
    USERS,
    dataFunctions(parseYaml),
  )
    .withVariables(Object.fromEntries(Object.entries(CONTEXTS).map(([name, { type }]) => [name, type])))
    .withVariables({
      images: mapOf(STRING, listOf(STRING)),
      attestors: mapOf(STRING, DYN),
      attestations: mapOf(STRING, STRING),
      object: DYN,
    })
    .refusing(REFUSED)
  if (mode === 'JSON') return environment
  return withPolicyVariables(environment, {}).withVariables({
    request: REQUEST_WITH_OBJECTS,
    namespaceObject: NAMESPACE,
    oldObject: DYN,
  })
}

/** With these as `variables.name`. */
export function withPolicyVariables(
  environment: CelEnvironment,
  variables: Readonly<Record<string, CelType>>,
): CelEnvironment {
  return environment.withVariables({ variables: objectType('kyverno.variables', variables) })
}

/** What `matchImageReferences` may name. */
export const REFERENCE_ENVIRONMENT: CelEnvironment = KUBERNETES.withFunctions(IMAGES).withVariables({ ref: STRING })

/** The value of a variable that is the same for every review. */
export function contextNamed(name: string): CelValue | undefined {
  return Object.hasOwn(CONTEXTS, name) ? CONTEXTS[name]?.value : undefined
}

/** Most values that a YAML text may unfold to, aliases and all. */
const MAX_YAML = 20_000
const MAX_YAML_DEPTH = 64

/** A YAML parser for expressions. Its library is loaded only where a policy has some. */
export async function loadYamlParser(): Promise<(text: string) => JsonValue> {
  const { CORE_SCHEMA, load } = await import('js-yaml')
  const { evaluationError } = await import('../cel/cel-error.js')
  return (text) => {
    let value: unknown
    try {
      value = load(text, { schema: CORE_SCHEMA }) ?? null
    } catch (cause) {
      throw evaluationError('not YAML', { cause })
    }
    const counted = { left: MAX_YAML }
    // The schema makes nothing but JSON, which aliases may have made huge, or endless.
    if (!fits(value, counted, MAX_YAML_DEPTH)) throw evaluationError('YAML that unfolds to too much')
    return value as JsonValue
  }
}

function fits(value: unknown, counted: { left: number }, depth: number): boolean {
  if (--counted.left < 0 || depth < 0) return false
  if (typeof value !== 'object' || value === null) return true
  return Object.values(value).every((each) => fits(each, counted, depth - 1))
}
