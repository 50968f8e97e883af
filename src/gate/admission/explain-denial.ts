/** The rest of a denial, below the originals' words: for each image which policy, who was expected, who signed, and how to see more. @module */
import { commandFor } from '#policy/engine/command-for'
import type { SeenSigner } from '#policy/internal/outcome'
import type { RuleVerdict } from '#policy/engine/verdict'

/** So many images are explained; the command line shows the others. */
const MAX_IMAGES = 10
const MAX_NAMES = 5

/** Lines, without the words of the originals. */
export function explainDenial(rules: readonly RuleVerdict[]): string {
  const denials = rules.filter(({ verdict, occurrence }) => verdict === 'denied' && occurrence !== undefined)
  const byImage = new Map<string, RuleVerdict[]>()
  for (const denial of denials) {
    const name = imageName(denial)
    byImage.set(name, [...(byImage.get(name) ?? []), denial])
  }
  const blocks = [...byImage].slice(0, MAX_IMAGES).map(([image, verdicts]) => explainImage(image, verdicts))
  const left = byImage.size - blocks.length
  return [...blocks, ...(left > 0 ? [`and ${String(left)} more images`] : [])].join('\n')
}

function imageName({ occurrence, pinned }: RuleVerdict): string {
  if (pinned === undefined) return occurrence?.image.text ?? ''
  return `${pinned.repository.registry}/${pinned.repository.repository}@${pinned.digest}`
}

function explainImage(image: string, verdicts: readonly RuleVerdict[]): string {
  const lines = verdicts.flatMap((verdict) => {
    const { policy, rule, expected, signers } = verdict
    const name = rule === '' ? policy : `${policy}/${rule}`
    return [
      ...(expected.length === 0 ? [] : [`  policy ${name} expects: ${listed(expected)}`]),
      ...(signers.length === 0 ? [] : [`  signed by: ${listed(signers.map(describe))}`]),
    ]
  })
  const demand = verdicts.find(({ outcome }) => outcome !== undefined)?.outcome?.demand
  if (verdicts.every(({ pinned }) => pinned === undefined)) return [`${image}:`, ...new Set(lines)].join('\n')
  return [`${image}:`, ...new Set(lines), `  to see more: ${commandFor(demand, image)}`].join('\n')
}

function describe({ subjects, issuer }: SeenSigner): string {
  const who = subjects.slice(0, MAX_NAMES).join(', ')
  return issuer === undefined ? who : `${who} by ${issuer}`
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, MAX_NAMES).join('; ')
  return texts.length > MAX_NAMES ? `${shown}; and ${String(texts.length - MAX_NAMES)} more` : shown
}
