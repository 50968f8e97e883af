/** One running private Sigstore, with every real client pointed at it. @module */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { must, run, serve } from './processes.js'
import type { Finished, RunOptions } from './processes.js'
import { freePort } from './registry.js'

/** The command lines that speak cosign's language: ours, and the two majors of the original. */
export type Client = 'countersign' | 'cosign3' | 'cosign2'

export const CLIENTS: readonly Client[] = ['countersign', 'cosign3', 'cosign2']

/** A private Sigstore and a folder to work in. */
export interface World {
  readonly url: string
  readonly issuer: string
  /** host:port of its own registry, which has the referrers API. */
  readonly registry: string
  readonly folder: string
  /** A file with the trusted root, for clients that do not ask TUF for it. */
  readonly trustedRoot: string
  /** An identity token. */
  token(user: string): Promise<string>
  /** Runs a client to its end, in the folder, with a trust root of its own. */
  client(client: Client, args: readonly string[], options?: RunOptions): Promise<Finished>
  stop(): Promise<void>
}

const COUNTERSIGN = resolve(import.meta.dirname, '../../../bin/countersign')

/** Starts everything. Every client has been initialized from the TUF repository by its own `initialize`. */
export async function startWorld(): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'interop-'))
  const data = join(folder, 'sigstore')
  const port = await freePort()
  const server = await serve(
    COUNTERSIGN,
    ['up', '--data', data, '--port', String(port), '--output', 'json'],
    (output) =>
      output.includes('\n')
        ? (JSON.parse(output.slice(0, output.indexOf('\n'))) as Readonly<Record<string, unknown>>)
        : undefined,
  )
  const url = `http://localhost:${String(port)}`
  const root = join(data, 'tuf', 'root.json')
  const client: World['client'] = (name, args, options = {}) =>
    run(name === 'countersign' ? COUNTERSIGN : name, args, {
      cwd: folder,
      ...options,
      env: {
        TUF_ROOT: join(folder, `tuf-${name}`),
        COSIGN_PASSWORD: 'interop',
        COSIGN_YES: 'true',
        HOME: folder,
        ...options.env,
      },
    })
  for (const name of CLIENTS) {
    const { code, stderr } = await client(name, ['initialize', '--mirror', `${url}/tuf`, '--root', root])
    if (code !== 0) throw new Error(`${name} initialize: ${stderr}`)
  }
  const trustedRoot = join(folder, 'trusted_root.json')
  await writeFile(trustedRoot, await fetchTarget(`${url}/tuf`, 'trusted_root.json'))
  return {
    url,
    issuer: `${url}/oidc`,
    registry: `localhost:${String(port)}`,
    folder,
    trustedRoot,
    token: async (user) => (await must(COUNTERSIGN, ['token', '--data', data, user])).trim(),
    client,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The newest version of a TUF target, read without verifying anything: the clients under test do that. */
async function fetchTarget(mirror: string, name: string): Promise<Uint8Array> {
  const json = async (path: string): Promise<Metadata> => (await (await fetch(`${mirror}/${path}`)).json()) as Metadata
  const version = (await json('timestamp.json')).signed.meta?.['snapshot.json']?.version ?? 1
  const targetsVersion = (await json(`${String(version)}.snapshot.json`)).signed.meta?.['targets.json']?.version ?? 1
  const digest = (await json(`${String(targetsVersion)}.targets.json`)).signed.targets?.[name]?.hashes['sha256'] ?? ''
  return new Uint8Array(await (await fetch(`${mirror}/targets/${digest}.${name}`)).arrayBuffer())
}

interface Metadata {
  readonly signed: {
    readonly meta?: Readonly<Record<string, { readonly version: number }>>
    readonly targets?: Readonly<Record<string, { readonly hashes: Readonly<Record<string, string>> }>>
  }
}
