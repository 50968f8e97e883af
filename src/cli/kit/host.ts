/** Everything a command may touch outside itself. Tests pass their own. @module */
import type { HttpOptions } from '#clients/http/client'
import type { Fetch } from '#clients/http/fetch'
import type { TlsChoices } from '#clients/http/tls-options'
import type { KubernetesApi } from '#clients/kubernetes/api'
import type { AccessOptions } from '#clients/kubernetes/find-access'
import type { Clock } from '#time'
import type { CommandData } from './command.js'

/** The three standard streams, and what can be asked of a person. */
export interface Terminal {
  readonly stdinIsTty: boolean
  readonly stdoutIsTty: boolean
  readonly stderrIsTty: boolean
  /** Width in columns, 80 where it is unknown. */
  readonly columns: number
  /** Bytes or text to standard output, as they are. */
  write(output: string | Uint8Array): void
  /** A line to standard error. */
  note(line: string): void
  /** Text to standard error as it is, for prompts and progress. */
  writeError(text: string): void
  readonly stdin: AsyncIterable<Uint8Array>
  /** One line from standard input without its end, `undefined` at the end of input. */
  readLine(): Promise<string | undefined>
  /** One line typed without echo, `undefined` where there is no terminal to type at. */
  readSecret(prompt: string): Promise<string | undefined>
}

export interface WriteOptions {
  /** Permission bits, 0o600 unless told. */
  readonly mode?: number
  /** Makes the folders above that are missing, for this user alone. */
  readonly folders?: true
}

/** Something in a folder. */
export interface FolderEntry {
  readonly name: string
  /** What a link leads to counts; `other` is what is neither, such as a link that leads nowhere. */
  readonly kind: 'file' | 'folder' | 'other'
  /** Set: it is a link. */
  readonly link?: true
}

/** Files. Every method throws a CliError with the path in it. */
export interface FileStore {
  read(path: string): Promise<Uint8Array>
  /** The file in pieces, so that its size does not matter. */
  stream(path: string): AsyncIterable<Uint8Array>
  /** Replaces the file as a whole: a reader sees the old one or the new one. */
  write(path: string, content: Uint8Array | string, options?: WriteOptions): Promise<void>
  exists(path: string): Promise<boolean>
  /** What is in a folder, by name; empty if there is no such folder. */
  list(folder: string): Promise<readonly FolderEntry[]>
  /** Removes a file or a folder with all that is in it; it is no error if there is none. */
  remove(path: string): Promise<void>
}

export interface ConnectOptions {
  readonly tls?: TlsChoices
  /** Tell each request on standard error. */
  readonly verbose?: boolean
  /** How patient to be; what is not said is as patient as a command can be. */
  readonly pace?: Pick<HttpOptions, 'retry' | 'timeouts' | 'maxConnections'>
}

export type Environment = Readonly<Record<string, string | undefined>>

export interface Host {
  readonly terminal: Terminal
  readonly environment: Environment
  readonly files: FileStore
  readonly clock: Clock
  /** Makes the HTTP client; only a command that speaks HTTP calls it. */
  readonly connect: (options?: ConnectOptions) => Promise<Fetch>
  /** Makes the client of a cluster: the one that is meant, or that this runs in. */
  readonly openCluster: (options: AccessOptions) => Promise<KubernetesApi>
  /** What has been asked over HTTP and not been answered yet, without what is secret in addresses. */
  readonly waitingFor: () => readonly string[]
  readonly openBrowser: (url: string) => Promise<boolean>
  readonly homeFolder: string | undefined
  readonly platform: { readonly os: string; readonly arch: string; readonly runtime: string }
  /** Aborts on an interrupt, for commands that run until they are told to stop. */
  readonly interrupted: AbortSignal
  /** Calls the function whenever the process is told to read its files again (SIGHUP). */
  readonly onReload: (reload: () => void) => void
  /** What all commands look like, for the help and the completion. */
  readonly definitions: () => readonly CommandData[]
}
