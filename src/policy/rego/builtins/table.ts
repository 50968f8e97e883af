/** All builtin functions, by name. Operators are among them. @module */
import type { Builtin } from './builtin.js'
import { COLLECTIONS } from './collections.js'
import { COMPARISONS } from './comparisons.js'
import { ENCODINGS } from './encodings.js'
import { MATCHING } from './matching.js'
import { NUMBERS } from './numbers.js'
import { STRINGS } from './strings.js'
import { TIMES } from './times.js'

export const BUILTINS: ReadonlyMap<string, Builtin> = new Map([
  ...COMPARISONS,
  ...NUMBERS,
  ...STRINGS,
  ...COLLECTIONS,
  ...MATCHING,
  ...ENCODINGS,
  ...TIMES,
])
