/** Which of many policies can be about a resource at all, found by how the names of its images begin. @module */
import type { ImageSelector } from '../internal/image.js'
import { normalisedGlob } from '../internal/glob.js'
import type { CompiledPolicy, PolicyRule } from '../internal/policy.js'
import type { ReviewImages } from '../internal/review-images.js'

/** Policies, none of which is left out wrongly: an index only ever leaves out what cannot match. */
export interface PolicyIndex {
  readonly all: readonly CompiledPolicy[]
  /** Those that may be about the resource, in the order of `all`. */
  candidates(images: ReviewImages): readonly CompiledPolicy[]
}

export function indexPolicies(all: readonly CompiledPolicy[]): PolicyIndex {
  const always: number[] = []
  const byBeginning = new Map<string, number[]>()
  for (const [position, policy] of all.entries()) {
    const beginnings = policy.rules.flatMap(beginningsOf)
    if (beginnings.includes('')) always.push(position)
    else for (const beginning of new Set(beginnings)) append(byBeginning, beginning, position)
  }
  // A name is looked up once a length that occurs, not once a policy.
  const lengths = [...new Set([...byBeginning.keys()].map(({ length }) => length))].sort((a, b) => a - b)
  return {
    all,
    candidates: (images) => {
      if (all.length === 0) return all
      const found = new Set(always)
      for (const place of images.places) {
        const read = images.read(place)
        // Any policy may refuse a name that cannot be read.
        if ('error' in read) return all
        for (const form of images.forms(read.occurrence.image).all) {
          for (const length of lengths) {
            if (length > form.length) break
            for (const position of byBeginning.get(form.slice(0, length)) ?? []) found.add(position)
          }
        }
      }
      return [...found].sort((a, b) => a - b).flatMap((position) => all[position] ?? [])
    },
  }
}

function append(map: Map<string, number[]>, key: string, position: number): void {
  const known = map.get(key)
  if (known === undefined) map.set(key, [position])
  else known.push(position)
}

/** The literal beginnings of everything that a rule selects; an empty one where it may be about anything. */
function beginningsOf({ kind, extract, images }: PolicyRule): readonly string[] {
  // Places of its own may name other images than the pod's, and a program has its say about pods without any.
  if (extract !== undefined || kind === 'program') return ['']
  return images.include.map(beginningOf)
}

function beginningOf(selector: ImageSelector): string {
  if (selector.kind === 'expression') return ''
  const pattern = selector.kind === 'cip-glob' ? normalisedGlob(selector.glob) : selector.pattern
  // A digest is only known once it has been looked up, so a pattern with one is found by what stands before it.
  const end = pattern.search(/[*?@]/)
  return end < 0 ? pattern : pattern.slice(0, end)
}
