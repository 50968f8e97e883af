/** One rule of a Kyverno policy: an internal rule for each entry of its `verifyImages`. @module */
import type { Clock } from '#time'
import { compileConditions } from '../jmespath/conditions.js'
import type { CompileExpression } from '../jmespath/expression.js'
import type { Fields } from '../internal/fields.js'
import type { ImageRule } from '../internal/policy.js'
import { enforcementOf, readAction } from './actions.js'
import type { PolicyActions } from './actions.js'
import { guarded, invalidValue, required } from './complain.js'
import { readContext } from './context.js'
import { demandOf } from './demand.js'
import { extractorOf, readExtractors, transforms } from './extractors.js'
import { readMatch } from './match.js'
import type { Narrow } from './match-conditions.js'
import { plannersOf, unsupported } from './planner.js'
import type { RuleConditions } from './planner.js'
import { readVerification } from './verify-images.js'
import type { ImageVerification } from './verify-images.js'
import { kyvernoWording } from './wording.js'

/** What reading a rule takes. */
export interface RuleReading {
  readonly policy: string
  /** Of a namespaced policy. */
  readonly namespace: string | undefined
  readonly actions: PolicyActions
  readonly compile: CompileExpression
  /** To the requests that the policy is asked about. */
  readonly narrow: Narrow
  readonly clock: Clock
}

export interface ReadRule {
  readonly rules: readonly ImageRule[]
  readonly warnings: readonly string[]
}

const RULE_FIELDS = [
  'name',
  'context',
  'reportProperties',
  'match',
  'exclude',
  'imageExtractors',
  'preconditions',
  'celPreconditions',
  'verifyImages',
  'skipBackgroundRequests',
] as const
const OTHER_KINDS = ['mutate', 'validate', 'generate'] as const
const MAX_ENTRIES = 50
const MAX_NAME = 63

/** Reads a rule. One of another kind is left to whoever enforces it, and said so. */
export async function readRule(fields: Fields, reading: RuleReading): Promise<ReadRule> {
  const name = readName(fields)
  const others = OTHER_KINDS.filter((kind) => fields.has(kind))
  const entries = fields.objects('verifyImages')
  if (entries.length + others.length === 0) {
    const operations = 'supported operations: mutate,validate,generate,verifyImages'
    invalidValue(fields, `No operation defined in the rule '${name}'.(${operations})`)
  }
  if (others.length > 1 || (others.length > 0 && entries.length > 0)) {
    const one = 'only one operation (mutate,validate,generate,verifyImages) is allowed per rule'
    invalidValue(fields, `Multiple operations defined in the rule '${name}', ${one}`)
  }
  if (entries.length === 0) return { rules: [], warnings: others.map((kind) => notEnforced(name, kind)) }
  fields.only(...RULE_FIELDS, ...OTHER_KINDS)
  if (fields.has('celPreconditions'))
    invalidValue(fields, 'they can only be used with validate.cel rules', 'celPreconditions')
  if (entries.length > MAX_ENTRIES) invalidValue(fields, `expected at most ${String(MAX_ENTRIES)}`, 'verifyImages')
  return await readImageRules(fields, entries.slice(0, MAX_ENTRIES), { ...reading, name })
}

function readName(fields: Fields): string {
  const name = fields.text('name')
  if (name === undefined) required(fields, 'name', '')
  if (name !== undefined && name.length > MAX_NAME)
    fields.complaints.add(`${fields.at('name')}: Too long: may not be more than ${String(MAX_NAME)} bytes`)
  return name ?? ''
}

function notEnforced(name: string, kind: string): string {
  return `rule ${name} (${kind}) is not enforced here: only verifyImages rules are`
}

async function readImageRules(
  fields: Fields,
  entries: readonly Fields[],
  { name, policy, namespace, actions, compile, narrow, clock }: RuleReading & { readonly name: string },
): Promise<ReadRule> {
  const matcher = narrow(readMatch(fields, namespace !== undefined))
  const extractors = readExtractors(fields, compile)
  const own = entries.map((entry) => readAction(entry, 'failureAction'))
  const enforcement = enforcementOf(actions, own)
  const conditions: RuleConditions = {
    context: readContext(fields, { compile, namespace }),
    preconditions: readPreconditions(fields, compile),
    extract: extractorOf(extractors, clock),
  }
  const planner = plannersOf(conditions, compile)
  const verifications: ImageVerification[] = []
  for (const [index, entry] of entries.entries()) {
    const audits = (own[index] ?? actions.action) === 'Audit'
    const context = { compile, namespace, audits, transformed: transforms(extractors) }
    verifications.push(await readVerification(entry, context))
  }
  const rules = verifications.map((verification): ImageRule => {
    const planned = planner(verification)
    return {
      kind: 'images',
      name,
      matcher,
      extract: extractors.size === 0 ? undefined : conditions.extract,
      images: verification.images,
      demand: planned === undefined ? staticDemand(verification) : undefined,
      conclusion: undefined,
      ...(planned === undefined ? {} : { planner: planned }),
      ...(verification.access === undefined ? {} : { access: verification.access }),
      digests: verification.digests,
      enforcement,
      wording: kyvernoWording(policy, name),
    }
  })
  const warnings = [...verifications, ...conditions.context].flatMap((each) => each.warnings)
  return { rules, warnings }
}

function staticDemand({ asked }: ImageVerification): ImageRule['demand'] {
  if (asked.kind === 'unsupported') return unsupported(asked.what)
  return asked.kind === 'static' ? demandOf(asked.asked, () => undefined) : undefined
}

function readPreconditions(fields: Fields, compile: CompileExpression): RuleConditions['preconditions'] {
  const source = fields.get('preconditions')
  if (source === undefined || (Array.isArray(source) && source.length === 0)) return undefined
  const compiled = guarded(fields, 'preconditions', () => compileConditions(compile, source))
  return compiled === undefined ? undefined : { source, compiled }
}
