/** `images`: where else than in a pod specification names of images stand. @module */
import { evaluationError } from '../cel/cel-error.js'
import type { CelEnvironment } from '../cel/environment.js'
import type { CelProgram } from '../cel/program.js'
import { DYN, listOf, STRING } from '../cel/types.js'
import { isList, PENDING } from '../cel/values.js'
import type { Outcome } from '../cel/values.js'
import { readImageName } from '../internal/image-name.js'
import type { ImageOccurrence } from '../internal/image.js'
import type { ProgramExtractor } from '../internal/policy.js'
import type { Expressions } from './expressions.js'
import type { NamedExpression } from './spec.js'
import { reviewEvaluation } from './variables.js'

const MAX_IMAGES = 500

/** Expressions that find images; undefined where there are none. */
export function compileExtractor(
  extractors: readonly NamedExpression[],
  { expressions, environment }: { readonly expressions: Expressions; readonly environment: CelEnvironment },
): ProgramExtractor | undefined {
  if (extractors.length === 0) return undefined
  const programs = extractors.flatMap((extractor) => {
    const program = expressions.compile(extractor, environment, [listOf(STRING), listOf(DYN)])
    return program === undefined ? [] : [{ group: extractor.name, program }]
  })
  return {
    groups: new Set(extractors.map(({ name }) => name)),
    images: async (review, circumstances) => {
      const evaluation = reviewEvaluation(review, circumstances)
      const found = await Promise.all(
        programs.map(async ({ group, program }) => ({
          group,
          names: await evaluation.asks.settle(() => namesIn(program, program.evaluate(evaluation))),
        })),
      )
      return found.flatMap(({ group, names }) => names.map((name, index) => occurrence(group, name, index)))
    },
  }
}

function namesIn({ source }: CelProgram, outcome: Outcome): readonly string[] | typeof PENDING {
  if (outcome === PENDING) return PENDING
  const names = isList(outcome) ? outcome.filter((each) => typeof each === 'string') : []
  if (isList(outcome) && names.length === outcome.length && names.length <= MAX_IMAGES) return names
  throw evaluationError('images are found as a list of texts', {
    expected: `at most ${String(MAX_IMAGES)}`,
    found: source.slice(0, 60),
  })
}

/** Where it stands nobody says, so no digest can be written there. */
function occurrence(group: string, name: string, index: number): ImageOccurrence {
  return {
    group,
    name: String(index),
    path: `images.${group}[${String(index)}]`,
    pointer: '',
    image: readImageName(name),
  }
}
