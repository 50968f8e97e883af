/** How many cases a property test tries: few in `make test`, many in `make fuzz`. @module */

const DEFAULT_RUNS = 100

/** Pass it as `{ numRuns: fuzzRuns() }` to fast-check. `FUZZ_RUNS` in the environment overrides the default of 100. */
export function fuzzRuns(): number {
  const text = process.env['FUZZ_RUNS']
  return text === undefined ? DEFAULT_RUNS : Number.parseInt(text, 10)
}
