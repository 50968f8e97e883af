/** An image validating policy as a program: when it applies, which images it is about, and what it says of them. @module */
import type { JsonValue } from '#encoding/json'
import { isCodedError } from '#errors'
import { compileMatchConditions, matchesConditions } from '../cel/match-conditions.js'
import type { CompiledConditions } from '../cel/match-conditions.js'
import type { CelProgram, CompileCel } from '../cel/program.js'
import { CelError } from '../cel/cel-error.js'
import { Evaluation } from '../cel/program.js'
import type { CelEnvironment } from '../cel/environment.js'
import { describeIdentity } from '../internal/describe-identity.js'
import type { Complaints } from '../internal/fields.js'
import type { Circumstances } from '../internal/cluster.js'
import type { ImageSelector } from '../internal/image.js'
import type { Action, ResourceMatcher, ReviewProgram } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { allForms } from '../internal/image-forms.js'
import { compileAttestor } from './attestor-programs.js'
import type { AttestorProgram } from './attestor-programs.js'
import { webhookConditions } from './autogen.js'
import type { GeneratedSpec } from './autogen.js'
import { REFERENCE_ENVIRONMENT, policyEnvironment, withPolicyVariables } from './environment.js'
import { compileExtractor } from './extractors.js'
import { ABOUT_DIGESTS, globSelector } from './glob.js'
import { Expressions } from './expressions.js'
import type { ReadIdentity } from './identities.js'
import { explainResources, matchesResources } from './match-resources.js'
import { compileRun } from './run.js'
import type { ReadReference, ReadSpec } from './spec.js'
import { reviewEvaluation } from './variables.js'
import { policyWording } from './wording.js'

export interface ProgramContext {
  readonly name: string
  readonly namespace: string | undefined
  readonly compile: CompileCel
  readonly parseYaml: (text: string) => JsonValue
  readonly complaints: Complaints
  /** Of a policy made from one about pods. */
  readonly generated: Pick<GeneratedSpec, 'config' | 'targets'> | undefined
  /** Whether there are such policies. */
  readonly isGenerating: boolean
}

/** Compiles a specification. What does not compile is a complaint; the program is then of no use. */
export function compileProgram(spec: ReadSpec, context: ProgramContext): ReviewProgram {
  const { name, namespace, compile, parseYaml, complaints, generated, isGenerating } = context
  const expressions = new Expressions(compile, complaints)
  const attestations = new Map(spec.attestations.map((each) => [each.name, each]))
  const base = policyEnvironment({ namespace, mode: spec.mode, attestations }, parseYaml)
  const conditions = compileConditions(spec, { base, compile, expressions })
  const extract = compileExtractor(spec.extractors, { expressions, environment: base })
  const { variables, environment } = compileVariables(spec, { base, expressions })
  const attestors = spec.attestors.map((attestor, index): AttestorProgram => {
    const path = `spec.attestors[${String(index)}]`
    return compileAttestor(attestor, { expressions, environment, path })
  })
  const { scope } = spec.constraints ?? { scope: NOWHERE }
  return {
    kind: 'program',
    name: generated === undefined ? '' : `autogen-${generated.config}`,
    matcher: matcherOf(spec, conditions),
    extract,
    images: { include: selectorsOf(spec.references, expressions), skip: [] },
    ...(spec.access === undefined ? {} : { access: spec.access }),
    digests: spec.digests,
    enforcement: enforcementOf(spec),
    explained: explain(spec),
    wording: policyWording(name),
    scope: {
      ...scope,
      matchConditions: isGenerating ? webhookConditions(generated, spec.matchConditions) : spec.matchConditions,
    },
    run: compileRun({ spec, environment, expressions, variables, attestors, groups: extract?.groups ?? new Set() }),
  }
}

const NOWHERE = {
  rules: [],
  excluded: [],
  namespaceSelector: undefined,
  objectSelector: undefined,
  matchPolicy: 'Equivalent',
} as const

interface Compiling {
  readonly base: CelEnvironment
  readonly expressions: Expressions
}

function compileConditions(
  { matchConditions }: ReadSpec,
  { base, compile, expressions }: Compiling & { readonly compile: CompileCel },
): CompiledConditions {
  const compiled = matchConditions.flatMap((condition, index) => {
    try {
      return [compileMatchConditions([condition], base, compile)]
    } catch (error) {
      expressions.complain(`spec.matchConditions[${String(index)}].expression`, error)
      return []
    }
  })
  return {
    conditions: compiled.flatMap(({ conditions }) => conditions),
    programs: compiled.flatMap(({ programs }) => programs),
  }
}

/** In order: each can name those before it. */
function compileVariables(
  { variables }: ReadSpec,
  { base, expressions }: Compiling,
): { readonly variables: ReadonlyMap<string, CelProgram>; readonly environment: CelEnvironment } {
  const programs = new Map<string, CelProgram>()
  let environment = base
  for (const variable of variables) {
    const program = expressions.compile(variable, environment, [])
    if (program === undefined) continue
    programs.set(variable.name, program)
    const types = [...programs].map(([name, { type }]) => [name, type] as const)
    environment = withPolicyVariables(base, Object.fromEntries(types))
  }
  return { variables: programs, environment }
}

function matcherOf(spec: ReadSpec, conditions: CompiledConditions): ResourceMatcher {
  const { constraints, mode, matchConditions, failurePolicy } = spec
  const subjects =
    mode === 'JSON' ? ['JSON that is no resource'] : constraints === undefined ? [] : explainResources(constraints)
  const where = matchConditions.map(({ name, expression }) => `${name}: ${expression}`).join(' and ')
  return {
    explained: subjects.map((subject) => `${subject}${where === '' ? '' : ` where ${where}`}`),
    matches: async (review, circumstances) => {
      if ((mode === 'JSON') !== isPayload(review)) return false
      if (mode !== 'JSON' && constraints !== undefined && !(await matchesResources(constraints, review, circumstances)))
        return false
      return await conditionsMatch({ conditions, failurePolicy }, review, circumstances)
    },
  }
}

/** JSON that was given to be judged without being a resource. */
function isPayload({ kind, resource }: Review): boolean {
  return kind.kind === '' && resource.resource === ''
}

async function conditionsMatch(
  { conditions, failurePolicy }: { readonly conditions: CompiledConditions; readonly failurePolicy: 'Fail' | 'Ignore' },
  review: Review,
  circumstances: Circumstances,
): Promise<boolean> {
  if (conditions.programs.length === 0) return true
  const evaluation = reviewEvaluation(review, circumstances)
  return await matchesConditions(conditions, evaluation, failurePolicy)
}

const EVERY_IMAGE: ImageSelector = {
  kind: 'expression',
  source: 'every image',
  digestDecides: 'nothing',
  selects: () => true,
}

function selectorsOf(references: readonly ReadReference[], expressions: Expressions): readonly ImageSelector[] {
  if (references.length === 0) return [EVERY_IMAGE]
  return references.flatMap((reference) => {
    try {
      return [
        reference.kind === 'glob' ? globSelector(reference.glob) : referenceSelector(reference, expressions),
      ].flat()
    } catch (error) {
      if (!isCodedError(error)) throw error
      expressions.complain(reference.path, error)
      return []
    }
  })
}

/** A name has at most a thousand characters, and there may be hundreds of them: what is said of one is said in few steps. */
const REFERENCE_STEPS = 20_000

/** An expression is asked of every form of the name, and about an image if it is about one of them. */
function referenceSelector(
  { expression, path }: Extract<ReadReference, { readonly kind: 'expression' }>,
  expressions: Expressions,
): readonly ImageSelector[] {
  const program = expressions.compile({ expression, path }, REFERENCE_ENVIRONMENT, [])
  if (program === undefined) return []
  return [
    {
      kind: 'expression',
      source: expression,
      ...(ABOUT_DIGESTS.test(expression) ? {} : { digestDecides: 'nothing' }),
      selects: (image, pinned) =>
        allForms(image, pinned).some((form) => {
          const variables = (name: string): string | undefined => (name === 'ref' ? form : undefined)
          const outcome = program.evaluate(new Evaluation(variables, { steps: REFERENCE_STEPS }))
          if (typeof outcome === 'boolean') return outcome
          throw new CelError('CEL_EVALUATION', 'an expression of matchImageReferences must come to bool')
        }),
    },
  ]
}

const IN_WORDS: ReadonlyMap<string, string> = new Map([
  ['Deny', 'refused'],
  ['Warn', 'let in with a warning'],
  ['Audit', 'reported'],
])

function enforcementOf({ actions, action }: ReadSpec): ReviewProgram['enforcement'] {
  return { explained: actions.map((each) => IN_WORDS.get(each) ?? each), actionFor: (): Action => action }
}

function explain({ attestors, attestations, validations, digests }: ReadSpec): readonly string[] {
  return [
    ...attestors.map((attestor) => `attestor ${attestor.name}: ${describeAttestor(attestor)}`),
    ...attestations.map(
      (each) => `attestation ${each.name}: ${each.kind === 'intoto' ? each.predicateType : `referrer ${each.type}`}`,
    ),
    ...validations.flatMap(({ expression, message }) => [
      `must hold${message === '' ? '' : ` (${message})`}:`,
      ...expression
        .trim()
        .split('\n')
        .map((line) => `  ${line}`),
    ]),
    ...(digests.required ? ['every one of the images must have been verified by some policy'] : []),
  ]
}

function describeAttestor(attestor: ReadSpec['attestors'][number]): string {
  if (attestor.kind !== 'cosign') return attestor.kind === 'notary' ? 'of Notary, not verified here' : 'nobody'
  const { signer, evidence } = attestor.cosign
  const log = `transparency log ${evidence.tlog}`
  if (signer.kind === 'key') return `by a key${signer.kms === undefined ? '' : ` at ${signer.kms}`}; ${log}`
  if (signer.kind === 'certificate') return `by a certificate; ${log}`
  return `${signer.identities.map(describePerson).join(', or ')}; ${log}; certificate log ${evidence.sct}`
}

function describePerson({ subjectExpression, ...identity }: ReadIdentity): string {
  const who = describeIdentity(identity)
  return subjectExpression === undefined ? `by ${who}` : `by whom ${subjectExpression} names,${who}`
}
