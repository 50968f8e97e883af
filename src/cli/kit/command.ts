/** A command is data and one function; help, manual, completion and parsing all come from the data. @module */
import type { Flags, FlagValues } from './flags.js'
import type { Host } from './host.js'

export interface Example {
  /** What it does, in a few words. */
  readonly does: string
  /** The command line without the program's name. */
  readonly run: string
}

export interface ArgumentsSpec {
  /** As the usage line shows it: `IMAGE...`. */
  readonly usage: string
  readonly min?: number
  readonly max?: number
  /** What completion may offer. */
  readonly complete?: 'file' | readonly string[]
}

/** What a command is given when it runs. */
export interface Invocation<F extends Flags = Flags> {
  readonly args: readonly string[]
  readonly flags: FlagValues<F>
  /** Names of the flags that were set, on the command line or by a variable. */
  readonly changed: ReadonlySet<string>
  readonly host: Host
  /** Aborted when `--timeout` has passed or the user interrupts. */
  readonly signal: AbortSignal
  readonly verbose: boolean
}

export interface CommandSpec<F extends Flags> {
  /** `sign`, or `trusted-root create` for a command in a group. */
  readonly name: string
  readonly summary: string
  /** Further paragraphs of the help. */
  readonly description?: string
  readonly args?: ArgumentsSpec
  readonly flags: F
  readonly examples: readonly Example[]
  readonly hidden?: true
  /** Set: still works, and this is said when it is used. */
  readonly deprecated?: string
  /** Set: flags are not read from `COSIGN_<FLAG>` (cosign leaves some commands out). */
  readonly withoutCosignEnvironment?: true
  /** The exit code of errors that have none of their own, where 1 is an answer. */
  readonly failureExitCode?: number
  /** Set: `--timeout` does not end it; for what runs until it is told to stop. */
  readonly longRunning?: true
  /** Set: only a `--timeout` that was given ends it; for what takes as long as it is large. */
  readonly unhurried?: true
  readonly run: (invocation: Invocation<F>) => Promise<number | undefined>
}

/** A command without its function: what help, manual and completion are made from. */
export type CommandData = Omit<CommandSpec<Flags>, 'run'>

/** A command whose flag types are forgotten, as tables hold it. */
export interface Command extends CommandData {
  readonly run: (invocation: Invocation) => Promise<number | undefined>
}

/** Declares a command; the types of `flags` inside `run` follow from the table. The number that `run` returns is the exit code. */
export function defineCommand<const F extends Flags>(spec: CommandSpec<F>): Command {
  // Sound: the parser builds `flags` from this very table, so `run` gets the values that its type promises.
  return spec as unknown as Command
}
