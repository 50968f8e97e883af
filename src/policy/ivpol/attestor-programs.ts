/** Attestors with their expressions: who signs is known only once these have been evaluated on a resource. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { canonicalize } from '#encoding/jcs'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { compilePattern } from '#verify/pattern/pattern'
import { evaluationError } from '../cel/cel-error.js'
import type { CelEnvironment } from '../cel/environment.js'
import type { CelProgram, Evaluation } from '../cel/program.js'
import { STRING } from '../cel/types.js'
import { Opaque, PENDING, typeNameOf } from '../cel/values.js'
import type { Outcome } from '../cel/values.js'
import type { Attestor, TextMatch } from '../internal/attestor.js'
import type { ProgramServices } from '../internal/policy.js'
import { AttestorValue } from './attestor-value.js'
import type { ReadAttestor, ReadCosign } from './attestors.js'
import { buildAttestor } from './build-attestor.js'
import type { AttestorTexts } from './build-attestor.js'
import type { Expressions } from './expressions.js'
import type { Text } from './reading.js'

/** Gives the value of one attestor of a policy. */
export interface AttestorProgram {
  readonly name: string
  evaluate(evaluation: Evaluation, services: ProgramServices | undefined): Outcome
}

interface Compiling {
  readonly expressions: Expressions
  readonly environment: CelEnvironment
  readonly path: string
}

export function compileAttestor(attestor: ReadAttestor, compiling: Compiling): AttestorProgram {
  const { name } = attestor
  if (attestor.kind === 'cosign') return compileCosign(name, attestor.cosign, compiling)
  for (const expression of attestor.expressions) compileText(expression, compiling)
  const unusable =
    attestor.kind === 'notary'
      ? `the attestor ${name} is one of Notary, whose signatures are not verified here`
      : `the attestor ${name} says of nobody that they sign`
  const value = new AttestorValue(name, name, { unusable })
  return { name, evaluate: () => value }
}

function compileText(expression: string, { expressions, environment, path }: Compiling): CelProgram | undefined {
  return expressions.compile({ expression, path }, environment, [STRING])
}

type TextName = 'key' | 'certificate' | 'chain' | 'trustedRoot'

function compileCosign(name: string, cosign: ReadCosign, compiling: Compiling): AttestorProgram {
  const { signer, trustedRoot, repository } = cosign
  const written = new Map<TextName, Text>()
  if (signer.kind === 'key') written.set('key', { value: signer.data, expression: signer.expression })
  if (signer.kind === 'certificate') {
    if (signer.certificate !== undefined) written.set('certificate', signer.certificate)
    if (signer.chain !== undefined) written.set('chain', signer.chain)
  }
  if (trustedRoot !== undefined) written.set('trustedRoot', trustedRoot)
  const programs = [...written].flatMap(([part, { expression }]) => {
    const program = expression === undefined ? undefined : compileText(expression, compiling)
    return program === undefined ? [] : [[part, program] as const]
  })
  const subjects = (signer.kind === 'keyless' ? signer.identities : []).flatMap(({ subjectExpression }, index) => {
    const program = subjectExpression === undefined ? undefined : compileText(subjectExpression, compiling)
    return program === undefined ? [] : [[index, program] as const]
  })
  const values = new Map(
    [...written].flatMap(([part, { value }]) => (value === undefined ? [] : [[part, value] as const])),
  )
  const fixed: AttestorTexts = { ...textsOf(values), subjects: new Map() }
  const isFixed = programs.length === 0 && subjects.length === 0 && repository === undefined
  // What is written out is put together once, and what is wrong with it is known when the policy is loaded.
  const known = isFixed ? fixedValue(name, cosign, { texts: fixed, compiling }) : undefined
  if (known !== undefined) return { name, evaluate: () => known }
  const dynamic = { name, cosign, values, programs, subjects }
  return { name, evaluate: (evaluation, services) => dynamicValue(dynamic, evaluation, services) }
}

function fixedValue(
  name: string,
  cosign: ReadCosign,
  { texts, compiling }: { readonly texts: AttestorTexts; readonly compiling: Compiling },
): AttestorValue | undefined {
  try {
    return new AttestorValue(name, name, buildAttestor(name, cosign, { texts, repository: undefined }))
  } catch (error) {
    compiling.expressions.complain(compiling.path, error)
    return undefined
  }
}

function textsOf(values: ReadonlyMap<TextName, string>): Omit<AttestorTexts, 'subjects'> {
  return {
    key: values.get('key'),
    certificate: values.get('certificate'),
    chain: values.get('chain'),
    trustedRoot: values.get('trustedRoot'),
  }
}

interface Dynamic {
  readonly name: string
  readonly cosign: ReadCosign
  readonly values: ReadonlyMap<TextName, string>
  readonly programs: readonly (readonly [TextName, CelProgram])[]
  readonly subjects: readonly (readonly [number, CelProgram])[]
}

function dynamicValue(
  { name, cosign, values, programs, subjects }: Dynamic,
  evaluation: Evaluation,
  services: ProgramServices | undefined,
): Outcome {
  const given = programs.map(([part, program]) => [part, program.evaluate(evaluation)] as const)
  const patterns = subjects.map(([index, program]) => [index, program.evaluate(evaluation)] as const)
  const root = cosign.repository === undefined ? undefined : trustedRootOf(name, cosign, { evaluation, services })
  if (root === PENDING || [...given, ...patterns].some(([, outcome]) => outcome === PENDING)) return PENDING
  const texts = new Map([...values, ...given.map(([part, outcome]) => [part, textIn(name, outcome)] as const)])
  const dynamicSubjects = new Map(patterns.map(([index, outcome]) => [index, textIn(name, outcome)] as const))
  const identity = canonicalize({ texts: Object.fromEntries(texts), subjects: [...dynamicSubjects.values()] })
  const id = `${name} ${encodeHex(sha256(encodeUtf8(identity)))}`
  const repository = root instanceof TrustedRootValue ? root.root : undefined
  return new AttestorValue(name, id, built(name, cosign, { texts, subjects: dynamicSubjects, repository }))
}

interface Given {
  readonly texts: ReadonlyMap<TextName, string>
  readonly subjects: ReadonlyMap<number, string>
  readonly repository: TrustedRoot | undefined
}

/** What an expression gave may be no key: then nothing counts for the attestor, as in the original. */
function built(
  name: string,
  cosign: ReadCosign,
  { texts, subjects, repository }: Given,
): Attestor | { unusable: string } {
  try {
    const matches = new Map([...subjects].map(([index, source]) => [index, subjectMatch(source)] as const))
    return buildAttestor(name, cosign, { texts: { ...textsOf(texts), subjects: matches }, repository })
  } catch (error) {
    if (!isCodedError(error)) throw error
    return { unusable: `the attestor ${name} cannot be used: ${error.message}` }
  }
}

function subjectMatch(source: string): TextMatch {
  return { kind: 'pattern', pattern: compilePattern(source), extent: 'part' }
}

function textIn(name: string, outcome: Outcome): string {
  if (typeof outcome === 'string') return outcome
  const found = outcome === PENDING ? 'nothing' : typeNameOf(outcome)
  throw evaluationError(
    `failed to convert expression in compiled attestor: ${name}, expected a text and found ${found}`,
  )
}

class TrustedRootValue extends Opaque {
  override readonly typeName = 'trusted root'
  readonly root: TrustedRoot

  constructor(root: TrustedRoot) {
    super()
    this.root = root
  }
}

function trustedRootOf(
  name: string,
  { repository }: ReadCosign,
  { evaluation, services }: { readonly evaluation: Evaluation; readonly services: ProgramServices | undefined },
): Outcome {
  if (repository === undefined || services === undefined)
    throw evaluationError(`the attestor ${name} cannot be used here`)
  return evaluation.asks.ask(
    `trust repository of ${name}`,
    async () => new TrustedRootValue(await services.trustRepository(repository)),
  )
}
