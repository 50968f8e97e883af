/** What a policy says of the images of a resource: its validations in order, each as soon as what it asks is answered. @module */
import { CelError } from '../cel/cel-error.js'
import type { CelEnvironment } from '../cel/environment.js'
import { attempt } from '../cel/logical.js'
import type { CelProgram, Evaluation } from '../cel/program.js'
import { BOOL, NULL, STRING } from '../cel/types.js'
import { PENDING, typeNameOf } from '../cel/values.js'
import type { Outcome, Pending } from '../cel/values.js'
import type { ProgramInput, ProgramOutcome, ReviewProgram } from '../internal/policy.js'
import type { AttestorProgram } from './attestor-programs.js'
import type { Expressions } from './expressions.js'
import type { ReadSpec, ReadValidation } from './spec.js'
import { attestationsValue, imagesValue, LazyMap, policyEvaluation } from './variables.js'
import type { PolicyEvaluation } from './variables.js'

interface Parts {
  readonly spec: ReadSpec
  readonly environment: CelEnvironment
  readonly expressions: Expressions
  readonly variables: ReadonlyMap<string, CelProgram>
  readonly attestors: readonly AttestorProgram[]
  /** Of the policy's own finding of images. */
  readonly groups: ReadonlySet<string>
}

interface Validation {
  readonly program: CelProgram
  readonly message: string
  readonly messageProgram: CelProgram | undefined
}

/** Groups that are there, if only as an empty list, wherever pods are made. */
const POD_GROUPS = ['containers', 'initContainers', 'ephemeralContainers']
const POD_MAKERS = new Set([
  'Pod',
  'PodTemplate',
  'Deployment',
  'ReplicaSet',
  'ReplicationController',
  'StatefulSet',
  'DaemonSet',
  'Job',
  'CronJob',
])

export function compileRun(parts: Parts): ReviewProgram['run'] {
  const { spec, environment, expressions } = parts
  const validations = spec.validations.flatMap(
    (validation) => compileValidation(validation, environment, expressions) ?? [],
  )
  const annotations = spec.auditAnnotations.flatMap((annotation) => {
    const program = expressions.compile(annotation, environment, [STRING, NULL])
    return program === undefined ? [] : [{ key: annotation.name, program }]
  })
  return async (input) => {
    const { evaluation, surroundings, beginRound } = evaluationOf(parts, input)
    const { unusable } = surroundings.findings
    try {
      return await evaluation.asks.settle(() => {
        beginRound()
        const failure = firstFailure(validations, evaluation)
        if (failure === PENDING) return PENDING
        const warnings = [...unusable.values()]
        const accepted = failureOf(unusable)
        const auditAnnotations = annotationsOf(annotations, evaluation)
        return auditAnnotations === PENDING ? PENDING : { failure: failure ?? accepted, warnings, auditAnnotations }
      })
    } catch (error) {
      if (!(error instanceof CelError)) throw error
      return { failure: { kind: 'error', error }, warnings: [...unusable.values()], auditAnnotations: new Map() }
    }
  }
}

/** A policy that accepts although nothing can be said of an attestor that it asked for: what it accepts is not known. */
function failureOf(unusable: ReadonlyMap<string, string>): ProgramOutcome['failure'] {
  const [reason] = unusable.values()
  return reason === undefined ? undefined : { kind: 'failed', message: reason }
}

function compileValidation(
  { expression, message, messageExpression, path }: ReadValidation,
  environment: CelEnvironment,
  expressions: Expressions,
): Validation | undefined {
  const program = expressions.compile({ expression, path: `${path}.expression` }, environment, [BOOL])
  const messageProgram =
    messageExpression === undefined
      ? undefined
      : expressions.compile({ expression: messageExpression, path: `${path}.messageExpression` }, environment, [STRING])
  return program === undefined ? undefined : { program, message, messageProgram }
}

function evaluationOf(
  { spec, variables, attestors, groups }: Parts,
  { review, images, services }: ProgramInput,
): PolicyEvaluation {
  const names = new Map<string, string[]>()
  const known = POD_MAKERS.has(review.kind.kind) ? [...POD_GROUPS, ...groups] : groups
  for (const group of known) names.set(group, [])
  for (const { occurrence } of images) {
    const { group, image } = occurrence
    const list = names.get(group) ?? []
    list.push(image.text)
    names.set(group, list)
  }
  const imagesMap = imagesValue(names)
  const attestations = attestationsValue(spec.attestations.map(({ name }) => name))
  const byName = new Map(attestors.map((attestor) => [attestor.name, attestor]))
  const lazily = new LazyMap(
    byName.keys(),
    (name): Outcome => byName.get(name)?.evaluate(parts.evaluation, services) ?? null,
  )
  const parts = policyEvaluation({
    review,
    circumstances: services.circumstances,
    services,
    variables,
    own: (name) =>
      name === 'images'
        ? imagesMap
        : name === 'attestors'
          ? lazily
          : name === 'attestations'
            ? attestations
            : undefined,
  })
  return {
    ...parts,
    beginRound: () => {
      lazily.forget()
      parts.beginRound()
    },
  }
}

/**
 * The first validation that is not true. All are evaluated in each round, so that what the later ones ask is asked at once; in the
 * end only the first failure counts.
 */
function firstFailure(validations: readonly Validation[], evaluation: Evaluation): ProgramOutcome['failure'] | Pending {
  const outcomes = validations.map(({ program }) => attempt(() => program.evaluate(evaluation)))
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome === PENDING) return PENDING
    if (outcome instanceof CelError) return { kind: 'error', error: outcome }
    if (outcome === true) continue
    if (outcome !== false) {
      const error = new CelError('CEL_EVALUATION', `a validation came to ${typeNameOf(outcome)}, not to bool`)
      return { kind: 'error', error }
    }
    const message = messageOf(validations[index], index, evaluation)
    return message === PENDING ? PENDING : { kind: 'failed', message }
  }
  return undefined
}

function messageOf(validation: Validation | undefined, index: number, evaluation: Evaluation): string | Pending {
  const otherwise = `CEL expression validation failed at index ${String(index)}`
  const program = validation?.messageProgram
  if (program === undefined)
    return validation === undefined || validation.message === '' ? otherwise : validation.message
  const outcome = attempt(() => program.evaluate(evaluation))
  if (outcome === PENDING) return PENDING
  if (outcome instanceof CelError) return `failed to evaluate message expression: ${outcome.message}`
  if (typeof outcome !== 'string') return `failed to convert message expression to string: ${typeNameOf(outcome)}`
  return outcome === '' ? otherwise : outcome
}

function annotationsOf(
  annotations: readonly { readonly key: string; readonly program: CelProgram }[],
  evaluation: Evaluation,
): ReadonlyMap<string, string> | Pending {
  const outcomes = annotations.map(({ key, program }) => [key, valueOf(key, program, evaluation)] as const)
  if (outcomes.some(([, outcome]) => outcome === PENDING)) return PENDING
  return new Map(
    outcomes.flatMap(([key, outcome]) =>
      typeof outcome === 'string' && outcome !== '' ? [[key, outcome] as const] : [],
    ),
  )
}

function valueOf(key: string, program: CelProgram, evaluation: Evaluation): Outcome {
  const outcome = attempt(() => program.evaluate(evaluation))
  if (!(outcome instanceof CelError)) return outcome
  throw new CelError('CEL_EVALUATION', `failed to evaluate auditAnnotation '${key}': ${outcome.message}`)
}
