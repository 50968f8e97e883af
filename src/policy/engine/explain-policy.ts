/** A compiled policy in words: what it will do, as it was understood. @module */
import type { Attestor, TrustPart } from '../internal/attestor.js'
import type { Demand } from '../internal/demand.js'
import type { ImageSelector } from '../internal/image.js'
import type { CompiledPolicy, ImageRule, PolicyRule } from '../internal/policy.js'
import { describeSigner } from './explain-outcome.js'

/** Lines, indented by two spaces a level. */
export function explainPolicy(policy: CompiledPolicy): readonly string[] {
  const where = policy.namespace === undefined ? '' : ` in namespace ${policy.namespace}`
  return [
    `${policy.language} ${policy.name}${where}`,
    ...indent(policy.rules.flatMap(explainRule)),
    ...indent(policy.warnings.map((warning) => `warning: ${warning}`)),
  ]
}

function explainRule(rule: PolicyRule): readonly string[] {
  const { name, matcher, images, enforcement, digests } = rule
  const body = rule.kind === 'program' ? rule.explained : explainAsked(rule)
  const about = [
    `about: ${matcher.explained.length === 0 ? 'every resource that runs pods' : matcher.explained.join(', or ')}`,
    `images: ${images.include.map(describeSelector).join(', or ')}`,
    ...(images.skip.length === 0 ? [] : [`except: ${images.skip.map(describeSelector).join(', or ')}`]),
    ...body,
    `otherwise: ${enforcement.explained.join('; ')}`,
    `digests: ${[digests.mutate ? 'written into the resource' : 'left as they are', ...(digests.verify ? ['must be there'] : [])].join(', ')}`,
  ]
  return name === '' ? about : [`rule ${name}`, ...indent(about)]
}

function explainAsked(rule: ImageRule): readonly string[] {
  const { planner } = rule
  const { demand, conclusion } = planner?.outline ?? rule
  const asked = [
    ...(planner?.explained ?? []),
    ...(demand === undefined ? [] : explainDemand(demand)),
    ...(conclusion === undefined ? [] : explainJudge('and the whole must satisfy', conclusion)),
  ]
  return asked.length === 0 ? ['nothing is demanded of signatures'] : asked
}

function describeSelector(selector: ImageSelector): string {
  if (selector.kind === 'cip-glob') return selector.glob
  return selector.kind === 'wildcard' ? selector.pattern : selector.source
}

function explainDemand(demand: Demand): readonly string[] {
  if (demand.kind === 'static') return [`always ${demand.action}${demand.message === '' ? '' : `: ${demand.message}`}`]
  if (demand.kind === 'signature') return ['a signature', ...indent(explainAttestor(demand.attestor))]
  if (demand.kind === 'attestation') {
    const { predicateType, statements, attestor, predicate } = demand
    return [
      `an attestation ${demand.name} of type ${predicateType}, ${statements === 'any' ? 'any one' : 'every one'} of which satisfies`,
      ...indent(explainAttestor(attestor)),
      ...(predicate === undefined ? [] : indent(explainJudge('its statement must satisfy', predicate))),
    ]
  }
  const { required, of } = demand
  const [only, ...others] = of
  if (only === undefined || required < 1) return ['nothing can satisfy this: no authority is named']
  if (others.length === 0 && required === 1) return explainDemand(only)
  const count = required === of.length ? 'all' : required === 1 ? 'any one' : String(required)
  return [`${count} of:`, ...of.flatMap((each) => bullet(explainDemand(each)))]
}

function explainAttestor(attestor: Attestor): readonly string[] {
  const { evidence, source, annotations, trust, signer } = attestor
  const certified = signer.kind !== 'key'
  return [
    `${attestor.name}: by ${describeSigner(attestor)}`,
    `transparency log: ${evidence.tlog}; timestamp: ${evidence.timestamp}${certified ? `; certificate log: ${evidence.sct}` : ''}`,
    ...(certified ? [`trusting: ${describePart(trust.certificateAuthorities)}`] : []),
    ...(source.repository === undefined ? [] : [`found in: ${source.repository}`]),
    ...(source.format === 'any' ? [] : [`format: ${source.format}`]),
    ...(annotations.size === 0 ? [] : [`with annotations: ${[...annotations.keys()].join(', ')}`]),
  ]
}

function describePart(part: TrustPart<unknown>): string {
  if (part.kind === 'default') return 'the installation’s own trust root'
  return part.kind === 'named' ? `the trust root ${part.name}` : 'what the policy itself states'
}

function explainJudge(
  what: string,
  { language, source }: { readonly language: string; readonly source: string },
): readonly string[] {
  return [`${what} (${language}):`, ...indent(source.trimEnd().split('\n'))]
}

function indent(lines: readonly string[]): readonly string[] {
  return lines.map((line) => `  ${line}`)
}

function bullet([first = '', ...rest]: readonly string[]): readonly string[] {
  return [`- ${first}`, ...indent(rest)]
}
