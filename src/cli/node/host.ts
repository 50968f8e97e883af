/** This machine as a {@link Host}: the only place where the command line meets it. @module */
import type { Environment, Host } from '../kit/host.js'
import { nodeFiles } from './files.js'
import { nodeTerminal } from './terminal.js'

/** The host of this process. HTTP and TLS are loaded by the first command that connects. */
export function nodeHost(environment: Environment, definitions: Host['definitions']): Host {
  const terminal = nodeTerminal()
  const waiting = new Set<() => string>()
  return {
    terminal,
    environment,
    files: nodeFiles(),
    clock: () => Date.now(),
    connect: async (options = {}) => {
      const { connectTo, observed } = await import('./http.js')
      const fetch = connectTo(environment, (line) => terminal.note(line), options)
      return observed(fetch, waiting)
    },
    openCluster: async (options) => {
      const { openClusterOf } = await import('./cluster.js')
      return await openClusterOf(environment, options)
    },
    waitingFor: () => [...waiting].map((describe) => describe()),
    openBrowser,
    homeFolder: environment['HOME'] ?? environment['USERPROFILE'],
    platform: { os: process.platform, arch: process.arch, runtime: `node ${process.version}` },
    interrupted: new AbortController().signal,
    onReload: (reload) => {
      process.on('SIGHUP', reload)
    },
    definitions,
  }
}

const OPENERS: ReadonlyMap<NodeJS.Platform, readonly string[]> = new Map([
  ['darwin', ['open']],
  ['win32', ['rundll32', 'url.dll,FileProtocolHandler']],
])

/** Whether a browser could be started; whether it shows the page nobody can know. */
async function openBrowser(url: string): Promise<boolean> {
  const { spawn } = await import('node:child_process') // ten milliseconds of start-up that few commands need
  const [program = 'xdg-open', ...args] = OPENERS.get(process.platform) ?? ['xdg-open']
  return await new Promise((resolve) => {
    const child = spawn(program, [...args, url], { stdio: 'ignore', detached: true })
    child.once('error', () => resolve(false))
    child.once('spawn', () => {
      child.unref()
      resolve(true)
    })
  })
}
