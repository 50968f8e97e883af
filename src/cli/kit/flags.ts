/** Flags as data: what a command accepts, and the types its values have. @module */

interface FlagBase {
  /** One sentence for the help, the manual and the completion. */
  readonly help: string
  /** One letter. */
  readonly short?: string
  /** Other names that mean the same, such as `cert` for `certificate`. */
  readonly aliases?: readonly string[]
  /** What stands for the value in the help: `FILE`, `URL`. */
  readonly placeholder?: string
  /** The heading under which the help lists it; flags of the command itself have none. */
  readonly group?: FlagGroup
  /** Set: the flag works, is left out of the help, and this is said when it is used. */
  readonly deprecated?: string
  /** Set: the flag works and is left out of the help and the completion. */
  readonly hidden?: true
  /** Set: the value is never shown. */
  readonly secret?: true
}

export type FlagGroup = 'identity' | 'oidc' | 'registry' | 'services' | 'trust' | 'global'

export interface BooleanFlag extends FlagBase {
  readonly kind: 'boolean'
  readonly default?: boolean
}
export interface TextFlag extends FlagBase {
  readonly kind: 'string' | 'path' | 'url'
  readonly default?: string
  readonly choices?: readonly string[]
}
export interface NumberFlag extends FlagBase {
  readonly kind: 'number'
  readonly default: number
}
/** A time span such as `3m0s`, in milliseconds. */
export interface DurationFlag extends FlagBase {
  readonly kind: 'duration'
  readonly default: number
}
/** May be repeated. `list` also splits at commas as a line of CSV, `repeated` takes each value as it is. */
export interface ListFlag extends FlagBase {
  readonly kind: 'list' | 'repeated'
}

export type Flag = BooleanFlag | TextFlag | NumberFlag | DurationFlag | ListFlag
export type Flags = Readonly<Record<string, Flag>>

type ValueOf<F extends Flag> = F extends { kind: 'boolean' }
  ? boolean
  : F extends { kind: 'number' | 'duration' }
    ? number
    : F extends { kind: 'list' | 'repeated' }
      ? readonly string[]
      : F extends { choices: readonly (infer Choice extends string)[]; default: string }
        ? Choice
        : F extends { default: string }
          ? string
          : F extends { choices: readonly (infer Choice extends string)[] }
            ? Choice | undefined
            : string | undefined

/** The values of a set of flags: an unset text is `undefined`, never the empty string. */
export type FlagValues<T extends Flags> = { readonly [Name in keyof T]: ValueOf<T[Name]> }

export type FlagValue = boolean | number | string | readonly string[] | undefined

/** Flags that every command has. */
export const GLOBAL_FLAGS = {
  help: { kind: 'boolean', short: 'h', help: 'show the help of a command', group: 'global' },
  'help-all': { kind: 'boolean', help: 'show the help with every flag explained', group: 'global' },
  'output-file': {
    kind: 'path',
    placeholder: 'FILE',
    help: 'write standard output to a file',
    group: 'global',
  },
  timeout: { kind: 'duration', short: 't', default: 180_000, help: 'give up after this time', group: 'global' },
  verbose: {
    kind: 'boolean',
    short: 'd',
    help: 'log requests and causes of errors to standard error',
    group: 'global',
  },
} as const
