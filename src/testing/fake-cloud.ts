/** What saying who this is to a cloud touches: hosts that answer by name, files, and programs, all of them in memory. @module */
import type { CloudPorts, UserPorts } from '#clients/cloud/cloud-ports'
import { RecentLogins } from '#clients/cloud/recent-logins'
import { HttpError } from '#clients/http/http-error'
import type { ProgramResult } from '#clients/programs'
import { encodeUtf8 } from '#encoding/utf8'
import { fakeNetwork, type FakeAnswer, type FakeNetwork, type SeenRequest } from './fake-fetch.js'

export interface FakeCloudOptions {
  /** By `METHOD host/path`; whatever has none is not there. */
  readonly answers?: Readonly<Record<string, FakeAnswer>>
  readonly env?: Readonly<Record<string, string>>
  /** By path; those below `~` are in the home folder. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
  /** What programs print, or with which code they fail, by their command lines; others cannot be started. */
  readonly programs?: Readonly<Record<string, string | number>>
  readonly programsAllowed?: UserPorts['programs']
  readonly clock?: () => number
  /** There is no home folder. */
  readonly homeless?: true
}

export interface FakeCloud {
  readonly ports: CloudPorts & { readonly user: UserPorts }
  readonly network: FakeNetwork
  /** Command lines of the programs that somebody tried to run. */
  readonly runs: readonly string[]
  /** Paths that somebody looked at. */
  readonly looked: readonly string[]
}

export const CLOUD_NOW: number = Date.UTC(2026, 0, 2, 3, 4, 5)
const HOME = '/home/somebody'

export function fakeCloud(options: FakeCloudOptions = {}): FakeCloud {
  const { answers = {}, env = {}, programs = {}, clock = () => CLOUD_NOW } = options
  const network = fakeNetwork(
    ({ method, url }) => answers[`${method} ${url.host}${url.pathname}`] ?? new HttpError('HTTP_CONNECT', 'no'),
  )
  const files = new Map(
    Object.entries(options.files ?? {}).map(([path, content]) => [path.replace(/^~/, HOME), content]),
  )
  const looked: string[] = []
  const runs: string[] = []
  const read = (path: string): Uint8Array | undefined => {
    looked.push(path.replace(HOME, '~'))
    const content = files.get(path)
    return typeof content === 'string' ? encodeUtf8(content) : content
  }
  const run = async (program: string, args: readonly string[]): Promise<ProgramResult> => {
    const line = [program, ...args].join(' ')
    runs.push(line)
    const printed = programs[line]
    if (printed === undefined) throw new Error(`spawn ${line} ENOENT`)
    return typeof printed === 'number' ? { exitCode: printed, stdout: '' } : { exitCode: 0, stdout: printed }
  }
  const { fetch } = network
  const ports = {
    fetch,
    machineFetch: fetch,
    env,
    clock,
    readText: async (path: string): Promise<string> => {
      const content = read(path)
      if (content === undefined) throw new Error(`no ${path}`)
      return new TextDecoder().decode(content)
    },
    user: {
      homeFolder: options.homeless ? undefined : HOME,
      readFile: async (path: string) => read(path),
      runner: { run },
      programs: options.programsAllowed ?? 'any',
      logins: new RecentLogins(clock),
    },
  } as const
  return { ports, network, runs, looked }
}

/** The form of a request. */
export function formOf(request: SeenRequest | undefined): URLSearchParams {
  return new URLSearchParams(new TextDecoder().decode(request?.body))
}
