/** A host for in-process command tests: memory for files, text for the terminal, a fetch of the test's own. @module */
import { CliError } from '#cli/kit/errors'
import type { ConnectOptions, Environment, Host } from '#cli/kit/host'
import type { Fetch } from '#clients/http/fetch'
import type { KubernetesApi } from '#clients/kubernetes/api'
import type { CommandData } from '#cli/kit/command'

export interface FakeHostOptions {
  readonly environment?: Environment
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  readonly stdin?: string | Uint8Array
  /** Lines typed at prompts for secrets; present only where there is a terminal. */
  readonly secrets?: readonly string[]
  readonly fetch?: Fetch
  readonly now?: number
  readonly tty?: boolean
  readonly definitions?: readonly CommandData[]
  readonly openBrowser?: (url: string) => Promise<boolean>
  readonly interrupted?: AbortSignal
  /** Given what the command wants to be called with on SIGHUP. */
  readonly onReload?: (reload: () => void) => void
  readonly cluster?: KubernetesApi
  readonly columns?: number
}

export interface FakeHost extends Host {
  /** What went to standard output so far. */
  readonly stdout: () => string
  readonly stderr: () => string
  readonly content: (path: string) => Uint8Array
  readonly paths: () => readonly string[]
  readonly connections: readonly ConnectOptions[]
  readonly modes: ReadonlyMap<string, number>
}

const NOW = Date.UTC(2026, 0, 1)

export function fakeHost(options: FakeHostOptions = {}): FakeHost {
  const encode = (content: string | Uint8Array): Uint8Array =>
    typeof content === 'string' ? new TextEncoder().encode(content) : content
  const files = new Map(Object.entries(options.files ?? {}).map(([path, content]) => [path, encode(content)]))
  const modes = new Map<string, number>()
  const [stdout, stderr]: [Uint8Array[], string[]] = [[], []]
  const connections: ConnectOptions[] = []
  const input = encode(options.stdin ?? '')
  let lines = new TextDecoder().decode(input).split('\n')
  const secrets = [...(options.secrets ?? [])]
  const read = (path: string): Uint8Array => {
    const content = files.get(path)
    if (content === undefined) throw new CliError('CLI_FILE_MISSING', `open ${path}: no such file or directory`)
    return content
  }
  return {
    terminal: {
      stdinIsTty: options.tty ?? false,
      stdoutIsTty: options.tty ?? false,
      stderrIsTty: options.tty ?? false,
      columns: options.columns ?? 100,
      write: (output) => {
        stdout.push(encode(output))
      },
      note: (line) => {
        stderr.push(`${line}\n`)
      },
      writeError: (text) => {
        stderr.push(text)
      },
      stdin: (async function* () {
        yield input
      })(),
      readLine: async () => {
        const [line, ...rest] = lines
        lines = rest
        return rest.length === 0 && line === '' ? undefined : line
      },
      readSecret: async (prompt) => {
        stderr.push(prompt)
        return options.secrets === undefined ? undefined : secrets.shift()
      },
    },
    environment: options.environment ?? {},
    files: {
      read: async (path) => read(path),
      async *stream(path) {
        yield read(path)
      },
      write: async (path, content, { mode = 0o600 } = {}) => {
        files.set(path, encode(content))
        modes.set(path, mode)
      },
      exists: async (path) => files.has(path),
      list: async (folder) => {
        const below = [...files.keys()].filter((path) => path.startsWith(`${folder}/`))
        const names = new Map(
          below.map((path) => {
            const [name = '', ...rest] = path.slice(folder.length + 1).split('/')
            return [name, { name, kind: rest.length === 0 ? 'file' : 'folder' }] as const
          }),
        )
        return [...names.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
      },
      remove: async (path) => {
        for (const name of files.keys()) if (name === path || name.startsWith(`${path}/`)) files.delete(name)
      },
    },
    clock: () => options.now ?? NOW,
    connect: async (choices = {}) => {
      connections.push(choices)
      if (options.fetch === undefined) throw new CliError('CLI_UNSUPPORTED', 'this test allows no network')
      return options.fetch
    },
    openCluster: async () => {
      if (options.cluster === undefined) throw new CliError('CLI_UNSUPPORTED', 'this test has no cluster')
      return options.cluster
    },
    waitingFor: () => [],
    openBrowser: options.openBrowser ?? (async () => false),
    homeFolder: '/home/test',
    platform: { os: 'linux', arch: 'x64', runtime: 'node' },
    interrupted: options.interrupted ?? new AbortController().signal,
    onReload: (reload) => {
      options.onReload?.(reload)
    },
    definitions: () => options.definitions ?? [],
    stdout: () => new TextDecoder().decode(Buffer.concat(stdout)),
    stderr: () => stderr.join(''),
    content: read,
    paths: () => [...files.keys()].sort(),
    connections,
    modes,
  }
}
