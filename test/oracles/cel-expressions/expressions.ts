/** Expressions to compare with the original on: each function with what is special about it. @module */
import { LIBRARIES } from './libraries.js'
import { LISTS, OPTIONAL_ENTRIES } from './lists.js'
import { DYNAMIC, OPERATORS } from './operators.js'
import { CONVERSIONS, TEXTS } from './texts.js'
import { TIMES } from './times.js'

export const EXPRESSIONS: readonly string[] = [
  ...OPERATORS,
  ...DYNAMIC,
  ...TEXTS,
  ...CONVERSIONS,
  ...TIMES,
  ...LISTS,
  ...OPTIONAL_ENTRIES,
  ...LIBRARIES,
]
