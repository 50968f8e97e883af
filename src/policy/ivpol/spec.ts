/** The specification of an image validating policy, read and complained about. Expressions are not looked at yet. @module */
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import { wrongNames } from '../cel/match-conditions.js'
import type { MatchCondition } from '../cel/match-conditions.js'
import type { Fields } from '../internal/fields.js'
import type { Action, DigestRules, RegistryAccess } from '../internal/policy.js'
import { readAttestors } from './attestors.js'
import type { ReadAttestor } from './attestors.js'
import type { DeclaredAttestation } from './library/verification.js'
import { readMatchResources } from './match-resources.js'
import type { MatchResources } from './match-resources.js'
import { guarded, required } from './reading.js'

/** A name with an expression. */
export interface NamedExpression {
  readonly name: string
  readonly expression: string
  /** Where it stands in the policy. */
  readonly path: string
}

export interface ReadValidation {
  readonly expression: string
  readonly message: string
  readonly messageExpression: string | undefined
  readonly path: string
}

export type ReadReference =
  | { readonly kind: 'glob'; readonly glob: string; readonly path: string }
  | { readonly kind: 'expression'; readonly expression: string; readonly path: string }

export interface ReadSpec {
  readonly mode: 'Kubernetes' | 'JSON'
  /** Undefined where a policy is not about requests. */
  readonly constraints: MatchResources | undefined
  readonly matchConditions: readonly MatchCondition[]
  readonly failurePolicy: 'Fail' | 'Ignore'
  readonly timeoutSeconds: number | undefined
  readonly references: readonly ReadReference[]
  readonly extractors: readonly NamedExpression[]
  readonly access: RegistryAccess | undefined
  readonly variables: readonly NamedExpression[]
  readonly attestors: readonly ReadAttestor[]
  readonly attestations: readonly DeclaredAttestation[]
  readonly validations: readonly ReadValidation[]
  readonly auditAnnotations: readonly NamedExpression[]
  readonly actions: readonly string[]
  readonly action: Action
  readonly digests: DigestRules
  readonly admission: boolean
  readonly background: boolean
  readonly warnings: readonly string[]
}

const FIELDS = [
  'matchConstraints',
  'failurePolicy',
  'auditAnnotations',
  'validationActions',
  'matchConditions',
  'variables',
  'validationConfigurations',
  'matchImageReferences',
  'credentials',
  'images',
  'attestors',
  'attestations',
  'validations',
  'webhookConfiguration',
  'evaluation',
  'autogen',
] as const

/** @param namespace of a namespaced policy */
export function readSpec(spec: Fields, namespace: string | undefined): ReadSpec {
  spec.only(...FIELDS)
  const evaluation = spec.object('evaluation')?.only('mode', 'admission', 'background')
  const mode = choice(evaluation, 'mode', { of: ['Kubernetes', 'JSON'], otherwise: 'Kubernetes' })
  const { attestors, warnings } = readAttestors(spec)
  if (!spec.has('attestors')) spec.complaints.add(`${spec.at('attestors')}: Required value`)
  return {
    mode,
    constraints: mode === 'JSON' && !spec.has('matchConstraints') ? undefined : readMatchResources(spec),
    matchConditions: readConditions(spec),
    failurePolicy: choice(spec, 'failurePolicy', { of: ['Fail', 'Ignore'], otherwise: 'Fail' }),
    timeoutSeconds: readTimeout(spec),
    references: spec.objects('matchImageReferences').flatMap(readReference),
    extractors: readNamed(spec, 'images'),
    access: readAccess(spec, namespace),
    variables: readNamed(spec, 'variables'),
    attestors,
    attestations: readAttestations(spec),
    validations: readValidations(spec),
    auditAnnotations: readNamed(spec, 'auditAnnotations', { name: 'key', expression: 'valueExpression' }),
    ...readActions(spec),
    digests: readDigests(spec),
    admission: isEnabled(evaluation, 'admission'),
    background: isEnabled(evaluation, 'background'),
    warnings,
  }
}

function isEnabled(evaluation: Fields | undefined, name: string): boolean {
  return evaluation?.object(name)?.only('enabled').boolean('enabled') ?? true
}

interface Choice<T> {
  readonly of: readonly T[]
  readonly otherwise: T
}

function choice<T extends string>(fields: Fields | undefined, name: string, { of, otherwise }: Choice<T>): T {
  const text = fields?.text(name)
  const known = of.find((each) => each === text)
  if (fields !== undefined && text !== undefined && known === undefined)
    fields.complaints.add(unsupported(fields.at(name), text, of))
  return known ?? otherwise
}

/** In the words of the API server. */
function unsupported(path: string, text: string, supported: readonly string[]): string {
  const values = supported.map((value) => `"${value}"`).join(', ')
  return `${path}: Unsupported value: "${text.slice(0, 100)}": supported values: ${values}`
}

const ACTIONS: ReadonlyMap<string, Action> = new Map([
  ['Deny', 'deny'],
  ['Audit', 'audit'],
  ['Warn', 'warn'],
])

/** The strictest of them counts. */
function readActions(spec: Fields): Pick<ReadSpec, 'actions' | 'action'> {
  const given = spec.texts('validationActions')
  const actions = given.length === 0 ? ['Deny'] : given
  for (const [index, action] of actions.entries())
    if (!ACTIONS.has(action))
      spec.complaints.add(unsupported(`${spec.at('validationActions')}[${String(index)}]`, action, [...ACTIONS.keys()]))
  const action = (['Deny', 'Warn', 'Audit'] as const).find((each) => actions.includes(each)) ?? 'Deny'
  return { actions, action: ACTIONS.get(action) ?? 'deny' }
}

function readConditions(spec: Fields): readonly MatchCondition[] {
  const conditions = readNamed(spec, 'matchConditions').map(({ name, expression }) => ({ name, expression }))
  for (const wrong of wrongNames(conditions)) spec.complaints.add(`${spec.at('matchConditions')}${wrong}`)
  return conditions
}

const MAX_NAMED = 100
const WORDS = { name: 'name', expression: 'expression' } as const

/** Names with expressions, at most so many and each name once. */
export function readNamed(
  spec: Fields,
  field: string,
  words: { readonly name: string; readonly expression: string } = WORDS,
): readonly NamedExpression[] {
  const all = spec.objects(field)
  if (all.length > MAX_NAMED) spec.complaints.invalid(String(all.length), spec.at(field), 'too many')
  const named = all.slice(0, MAX_NAMED).map((fields) => {
    fields.only(words.name, words.expression)
    const name = required(fields, words.name)
    return { name, expression: required(fields, words.expression), path: fields.at(words.expression) }
  })
  const names = named.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined && field !== 'matchConditions')
    spec.complaints.add(`${spec.at(field)}: Duplicate value: "${twice.slice(0, 100)}"`)
  return named
}

function readTimeout(spec: Fields): number | undefined {
  const fields = spec.object('webhookConfiguration')?.only('timeoutSeconds')
  const seconds = fields?.integer('timeoutSeconds')
  if (fields !== undefined && seconds !== undefined && (seconds < 1 || seconds > 30))
    fields.complaints.add(`${fields.at('timeoutSeconds')}: Invalid value: ${String(seconds)}: must be between 1 and 30`)
  return seconds
}

function readReference(fields: Fields): readonly ReadReference[] {
  fields.only('glob', 'expression')
  const [glob, expression] = [fields.text('glob'), fields.text('expression')]
  // Only one of them would count, and nobody could see which.
  if (glob !== undefined && expression !== undefined)
    fields.complaints.add(`${fields.path}: Invalid value: either glob or expression must be set, not both`)
  if (glob !== undefined) return [{ kind: 'glob', glob, path: fields.at('glob') }]
  if (expression !== undefined) return [{ kind: 'expression', expression, path: fields.at('expression') }]
  fields.complaints.add(`${fields.path}: Invalid value: either glob or expression must be set`)
  return []
}

const PROVIDERS = ['default', 'amazon', 'azure', 'google', 'github']

/** Logins are the installation's; whoever writes policies for one namespace has that one's. */
function readAccess(spec: Fields, namespace: string | undefined): RegistryAccess | undefined {
  const fields = spec.object('credentials')?.only('allowInsecureRegistry', 'providers', 'secrets')
  if (fields === undefined) return undefined
  const providers = fields.texts('providers')
  for (const [index, provider] of providers.entries())
    if (!PROVIDERS.includes(provider))
      fields.complaints.add(unsupported(`${fields.at('providers')}[${String(index)}]`, provider, PROVIDERS))
  return {
    allowInsecure: fields.boolean('allowInsecureRegistry') ?? false,
    providers,
    secrets: fields.texts('secrets').map((name) => (namespace === undefined ? { name } : { namespace, name })),
  }
}

function readAttestations(spec: Fields): readonly DeclaredAttestation[] {
  const all = spec.objects('attestations').flatMap((fields): readonly DeclaredAttestation[] => {
    fields.only('name', 'intoto', 'referrer')
    const name = required(fields, 'name')
    const which = fields.exactlyOne(['intoto', 'referrer'])
    const part = which === undefined ? undefined : fields.object(which)?.only('type')
    if (part === undefined || which === undefined) return []
    const type = required(part, 'type')
    if (which === 'referrer') return [{ name, kind: 'referrer', type }]
    const predicateType = guarded(part, 'type', () => typeOfPredicate(type))
    return predicateType === undefined ? [] : [{ name, kind: 'intoto', predicateType }]
  })
  const names = all.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) spec.complaints.add(`${spec.at('attestations')}: Duplicate value: "${twice.slice(0, 100)}"`)
  return all
}

/** A short name, or a type as it is: those of older versions of cosign are URIs without a scheme. */
function typeOfPredicate(type: string): string {
  return /^[^\s:]+\/\S+$/.test(type) ? type : predicateTypeUri(type)
}

const REASONS = ['Unauthorized', 'Forbidden', 'Invalid', 'RequestEntityTooLarge']

function readValidations(spec: Fields): readonly ReadValidation[] {
  const all = spec.objects('validations')
  if (all.length === 0) spec.complaints.add(`${spec.at('validations')}: Required value`)
  if (all.length > MAX_NAMED) spec.complaints.invalid(String(all.length), spec.at('validations'), 'too many')
  return all.slice(0, MAX_NAMED).map((fields) => {
    fields.only('expression', 'message', 'messageExpression', 'reason')
    choice(fields, 'reason', { of: REASONS, otherwise: '' })
    return {
      expression: required(fields, 'expression'),
      message: fields.text('message') ?? '',
      messageExpression: fields.text('messageExpression'),
      path: fields.path,
    }
  })
}

function readDigests(spec: Fields): DigestRules {
  const fields = spec.object('validationConfigurations')?.only('mutateDigest', 'verifyDigest', 'required')
  return {
    mutate: fields?.boolean('mutateDigest') ?? true,
    verify: fields?.boolean('verifyDigest') ?? true,
    required: fields?.boolean('required') ?? true,
  }
}
