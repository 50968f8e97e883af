/** Flags from the environment: `COUNTERSIGN_<FLAG>`, and cosign's `COSIGN_<FLAG>`. @module */
import type { CommandData } from './command.js'
import type { FlagValue, FlagValues, Flags } from './flags.js'
import type { Environment } from './host.js'
import { allFlags, deprecationNotice, type ParsedArguments, setFlag } from './parse.js'

/** Global switches that ask about the command line itself are never taken from a variable. */
const NOT_BOUND = new Set(['help', 'help-all'])

export interface BoundFlags {
  readonly flags: FlagValues<Flags>
  readonly changed: ReadonlySet<string>
  readonly warnings: readonly string[]
}

/** The variables that set a flag, the first that is set and not empty counts. */
export function variablesOf(command: Pick<CommandData, 'withoutCosignEnvironment'>, flag: string): readonly string[] {
  if (NOT_BOUND.has(flag)) return []
  const suffix = flag.toUpperCase().replaceAll('-', '_')
  const own = `COUNTERSIGN_${suffix}`
  return command.withoutCosignEnvironment === true ? [own] : [own, `COSIGN_${suffix}`]
}

/**
 * Completes what the command line says with variables and defaults.
 * @throws UsageError `USAGE_FLAG_VALUE` if a variable holds what its flag does not take.
 */
export function bindFlags(command: CommandData, parsed: ParsedArguments, environment: Environment): BoundFlags {
  const flags: Record<string, FlagValue> = {}
  const changed = new Set(parsed.values.keys())
  const warnings = [...parsed.warnings]
  for (const [name, flag] of Object.entries(allFlags(command))) {
    if (parsed.values.has(name)) {
      const value = parsed.values.get(name)
      // Scripts write `--key=""` for "no key"; cosign cannot tell the two apart, so neither do commands here.
      flags[name] = value === '' ? defaultOf(flag) : Array.isArray(value) ? value.filter(isSaid) : value
      continue
    }
    const variable = variablesOf(command, name).find((candidate) => (environment[candidate] ?? '') !== '')
    if (variable === undefined) {
      flags[name] = defaultOf(flag)
      continue
    }
    flags[name] = setFlag(undefined, flag, { shownAs: `${variable} (--${name})`, text: environment[variable] ?? '' })
    changed.add(name)
    const notice = deprecationNotice(name, flag)
    if (notice !== undefined) warnings.push(notice)
  }
  return { flags, changed, warnings }
}

function isSaid(text: string): boolean {
  return text !== ''
}

function defaultOf(flag: Flags[string]): FlagValue {
  switch (flag.kind) {
    case 'boolean':
      return flag.default ?? false
    case 'list':
    case 'repeated':
      return []
    default:
      return flag.default
  }
}
