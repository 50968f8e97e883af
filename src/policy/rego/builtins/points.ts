/** Texts as code points, which is what Rego counts. @module */
import type { Surroundings } from './builtin.js'

/** Taking a text apart costs more than reading it: each character becomes a value. */
const CHARACTERS_A_STEP = 4

/** The code points of a text. @throws RegoError REGO_LIMIT */
export function pointsOf(text: string, { spend }: Pick<Surroundings, 'spend'>): readonly string[] {
  spend(text.length / CHARACTERS_A_STEP)
  return [...text]
}
