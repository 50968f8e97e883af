/** One entry of `verifyImages`: which images, by whom signed, what attested, and what is done about digests. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { CompileExpression } from '../jmespath/expression.js'
import { compileTemplate } from '../jmespath/template.js'
import type { Template } from '../jmespath/template.js'
import { Complaints, Fields } from '../internal/fields.js'
import type { ImageSelection, ImageSelector } from '../internal/image.js'
import type { DigestRules, RegistryAccess } from '../internal/policy.js'
import { readAccess } from './access.js'
import { readAttestations } from './attestation.js'
import type { ReadAttestation } from './attestation.js'
import { checkIssued, readAttestorSets } from './attestor-set.js'
import type { IssuedCertificate, SetReading } from './attestor-set.js'
import { guarded, invalidValue, oneOf } from './complain.js'
import type { Asked } from './demand.js'
import { readDenial } from './denial.js'
import type { Denial } from './denial.js'
import { readRepository } from './entry.js'
import { inTodaysForm, OLDER_FIELDS } from './older-form.js'
import { VerifyReading } from './reading.js'
import { hasVariables, isOpen, variablePlaces } from './variables.js'
import { readWildcard } from './wildcard.js'

/** What an entry asks of images, whatever the review. */
export interface ImageVerification {
  /** Where it stands, for messages: `spec.rules[0].verifyImages[0]`. */
  readonly path: string
  readonly images: ImageSelection
  readonly digests: DigestRules
  readonly access: RegistryAccess | undefined
  readonly denial: Denial | undefined
  readonly asked: StaticAsk | OpenAsk | UnsupportedAsk
  readonly warnings: readonly string[]
}

/** Asks the same of every review. */
export interface StaticAsk {
  readonly kind: 'static'
  readonly asked: Asked
}

/** Has variables. */
export interface OpenAsk {
  readonly kind: 'open'
  readonly template: Template
  /** Of a namespaced policy. */
  readonly namespace: string | undefined
  /** As it was loaded: conditions are read once. */
  readonly attestations: readonly ReadAttestation[]
  /** For `policy explain`. */
  readonly explained: readonly string[]
}

/** Is understood, and cannot be verified here. */
export interface UnsupportedAsk {
  readonly kind: 'unsupported'
  readonly what: string
}

/** What reading an entry takes. */
export interface VerificationReading {
  readonly compile: CompileExpression
  /** Of a namespaced policy. */
  readonly namespace: string | undefined
  /** Whether refusals are only reported. */
  readonly audits: boolean
  /** Whether images are not what the resource says letter by letter, so that no digest can be written back. */
  readonly transformed: boolean
}

const TYPES = ['Cosign', 'SigstoreBundle', 'Notary'] as const
const OTHER_FIELDS = [
  'failureAction',
  'type',
  'imageReferences',
  'skipImageReferences',
  'attestors',
  'attestations',
  'annotations',
  'repository',
  'cosignOCI11',
  'mutateDigest',
  'verifyDigest',
  'required',
  'useCache',
  'validate',
  'imageRegistryCredentials',
] as const
const MAX_REFERENCES = 1000

/** Reads an entry when the policy is loaded. */
export async function readVerification(fields: Fields, context: VerificationReading): Promise<ImageVerification> {
  fields.only(...OTHER_FIELDS, ...OLDER_FIELDS)
  const today = new Fields(inTodaysForm(fields), fields.path, fields.complaints)
  const type = oneOf(today, 'type', TYPES) ?? 'Cosign'
  for (const name of ['cosignOCI11', 'useCache']) today.boolean(name)
  const { digests, warnings } = readDigests(today, context)
  const asked = await readAsked(today, type, context)
  return {
    path: today.path,
    images: { include: readReferences(today, 'imageReferences'), skip: readReferences(today, 'skipImageReferences') },
    digests,
    access: readAccess(today, context.namespace),
    denial: readDenial(today, context.compile),
    asked,
    warnings: [...warnings, ...warningsOf(today, asked)],
  }
}

function readReferences(fields: Fields, name: 'imageReferences' | 'skipImageReferences'): readonly ImageSelector[] {
  const texts = fields.texts(name)
  if (texts.length === 0 && name === 'imageReferences') invalidValue(fields, 'An image reference is required')
  if (texts.length > MAX_REFERENCES) invalidValue(fields, `expected at most ${String(MAX_REFERENCES)}`, name)
  return texts.slice(0, MAX_REFERENCES).flatMap((pattern): readonly ImageSelector[] => {
    if (isOpen(pattern)) invalidValue(fields, 'variables are not allowed in image references', name)
    return readWildcard(fields, name, pattern).length === 0 ? [] : [{ kind: 'wildcard', pattern }]
  })
}

interface ReadDigests {
  readonly digests: DigestRules
  readonly warnings: readonly string[]
}

/** Digests are written in unless the policy says otherwise, or cannot mean it. */
function readDigests(fields: Fields, { audits, transformed }: VerificationReading): ReadDigests {
  const written = fields.boolean('mutateDigest')
  if (written === true && audits)
    invalidValue(fields, 'mutateDigest must be set to false for ‘Audit’ failure action', 'mutateDigest')
  if (written === true && transformed)
    invalidValue(fields, 'jmespath may not be used in an image extractor when mutating digests with verify images')
  const mutate = written ?? !(audits || transformed)
  const [verify, required] = [fields.boolean('verifyDigest'), fields.boolean('required')]
  const digests = { mutate, verify: verify ?? (mutate || written !== undefined), required: required ?? true }
  if (written !== undefined || mutate) return { digests, warnings: [] }
  const why = audits ? 'refusals are only reported' : 'an extractor has a jmesPath'
  return { digests, warnings: [`${fields.path}: mutateDigest is taken to be false, since ${why}`] }
}

/** Without the parts whose variables are those of what is verified. */
function fillable({ value }: Fields): JsonObject {
  const { attestations, validate: _, ...rest } = value
  if (!Array.isArray(attestations)) return rest
  const without = (attestations as readonly JsonValue[]).map((each) => {
    if (!isJsonObject(each)) return each
    const { conditions: __, ...others } = each
    return others
  })
  return { ...rest, attestations: without }
}

async function readAsked(
  fields: Fields,
  type: (typeof TYPES)[number],
  { compile, namespace }: VerificationReading,
): Promise<ImageVerification['asked']> {
  const open = hasVariables(fillable(fields))
  const asked = await readAsk(fields, type, { compile, namespace, filled: !open })
  if (type === 'Notary') return { kind: 'unsupported', what: 'type: Notary' }
  if (!open) return { kind: 'static', asked }
  const source = fillable(fields)
  const template = guarded(fields, undefined, () => compileTemplate(compile, source))
  if (template === undefined) return { kind: 'static', asked }
  return { kind: 'open', template, namespace, attestations: asked.attestations, explained: variablePlaces(source) }
}

interface AskReading {
  readonly compile: CompileExpression
  readonly namespace: string | undefined
  readonly filled: boolean
}

async function readAsk(
  fields: Fields,
  type: (typeof TYPES)[number],
  { compile, namespace, filled }: AskReading,
): Promise<Asked> {
  const reading = new VerifyReading(filled, namespace)
  const issued: IssuedCertificate[] = []
  const bundle = type === 'SigstoreBundle'
  const annotations = fields.textMap('annotations')
  const repository = readRepository(fields, reading)
  const defaults = { annotations, repository, format: bundle ? ('bundle' as const) : ('any' as const) }
  const context: SetReading = { defaults, reading, issued }
  const sets = readAttestorSets(fields, '', context)
  const attestations = readAttestations(fields, compile, context)
  await checkIssued(issued, fields)
  if (annotations.size === 0 || sets.length + attestations.length > 0)
    return { sets, attestations, provenanceSigns: bundle }
  // Annotations are of signatures, and of no signature where nobody is to sign.
  const member = { kind: 'nobody', name: '.annotations', why: 'no attestors are named' } as const
  return { sets: [{ name: '.attestors', required: 1, members: [member] }], attestations, provenanceSigns: false }
}

/**
 * Reads an entry whose variables were filled in.
 * @throws PolicyError `POLICY_FIELD`
 */
export async function readFilled(
  filled: JsonValue,
  { path, asked }: ImageVerification & { readonly asked: OpenAsk },
  compile: CompileExpression,
): Promise<Asked> {
  const complaints = new Complaints()
  const fields = new Fields(isJsonObject(filled) ? filled : {}, path, complaints)
  const read = await readAsk(fields, oneOf(fields, 'type', TYPES) ?? 'Cosign', {
    compile,
    namespace: asked.namespace,
    filled: true,
  })
  complaints.throwIfAny('what variables stand for cannot be used: ')
  const attestations = read.attestations.map((each, index) => ({
    ...each,
    conditions: asked.attestations[index]?.conditions,
  }))
  return { ...read, attestations }
}

function warningsOf(fields: Fields, asked: ImageVerification['asked']): readonly string[] {
  const deprecated = fields.objects('attestations').flatMap((each) => {
    const type = each.text('predicateType')
    if (type === undefined) return []
    return [`predicateType has been deprecated use 'type: ${type}' instead of 'predicateType: ${type}'`]
  })
  if (asked.kind === 'unsupported')
    return [...deprecated, `${fields.path}: ${asked.what} is not supported: every image that it selects is refused`]
  if (asked.kind === 'open') return deprecated
  const nobody = nobodies(asked.asked).map((text) => `${fields.path}${text}`)
  return [...deprecated, ...nobody]
}

/** Where nobody is named who could have signed. */
function nobodies({ sets, attestations }: Asked): readonly string[] {
  const inSets = (of: Asked['sets']): readonly string[] =>
    of.flatMap(({ members }) =>
      members.flatMap((member) => {
        if (member.kind === 'set') return inSets([member.set])
        return member.kind === 'nobody' ? [`${member.name}: ${member.why}; every image is refused`] : []
      }),
    )
  return [
    ...inSets(sets),
    ...attestations.flatMap((each) =>
      each.sets.length === 0 ? [`${each.place}: no attestors are named; every image is refused`] : inSets(each.sets),
    ),
  ]
}
