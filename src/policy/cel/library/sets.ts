/** Lists as sets. @module */
import type { Budget } from '../budget.js'
import { equalValues } from '../compare.js'
import { free } from '../environment.js'
import type { Library } from '../environment.js'
import { bool, list, parameter } from '../kind.js'
import type { CelList, CelValue } from '../values.js'

const elements = list(parameter('T'))

function isIn(value: CelValue, set: CelList, budget: Budget): boolean {
  return set.some((each) => equalValues(value, each, budget))
}

function containsAll(set: CelList, part: CelList, budget: Budget): boolean {
  return part.every((each) => isIn(each, set, budget))
}

export const SETS: Library = {
  'sets.contains': [free([elements, elements], bool, ([set, part], { budget }) => containsAll(set, part, budget))],
  'sets.equivalent': [
    free([elements, elements], bool, ([a, b], { budget }) => containsAll(a, b, budget) && containsAll(b, a, budget)),
  ],
  'sets.intersects': [
    free([elements, elements], bool, ([a, b], { budget }) => a.some((each) => isIn(each, b, budget))),
  ],
}
