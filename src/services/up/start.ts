/** Starts a private Sigstore on a port and a data directory, and stops it in order. @module */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Fetch } from '#clients/http/fetch'
import { randomBytes } from '#crypto/random'
import { isCodedError } from '#errors'
import type { Clock } from '#time'
import { lockDirectory } from '#tlog/posix/directory-lock'
import type { DirectoryLock } from '#tlog/posix/directory-lock'
import type { LogSink } from '#serving/access-log'
import type { Handler } from '#serving/handler'
import { json } from '#serving/responses'
import { serve } from '#serving/serve'
import type { RunningServer } from '#serving/serve'
import { UpError } from './errors.js'
import { removeRunFile, writeRunFile } from './run-file.js'
import { requireClosedSignIn } from './sign-in.js'
import type { SignIn } from './sign-in.js'
import { createSigstore } from './sigstore.js'
import type { Sigstore } from './sigstore.js'
import { openDirectoryStorage } from './storage.js'
import type { InstanceStorage } from './storage.js'

export interface StartOptions {
  readonly directory: string
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** What clients call it, e.g. behind a proxy: scheme, host, port. Default: the address it listens on. */
  readonly url?: string | undefined
  readonly signIn: SignIn
  readonly insecureOpenSignIn: boolean
  readonly referrersApi: boolean
  /** Encrypts the keys. */
  readonly password?: Uint8Array | undefined
  readonly clock: Clock
  readonly elapsed: () => number
  /** Reaches issuers elsewhere; called only if one is configured. */
  readonly connect: () => Promise<Fetch>
  readonly accessLog?: LogSink | undefined
  readonly errorLog: LogSink
}

export interface RunningSigstore {
  readonly url: string
  readonly origin: string
  readonly directory: string
  readonly sigstore: Sigstore
  /** Stops accepting, lets requests finish for a while, settles the logs. Safe to call twice. */
  close(): Promise<void>
}

const GRACE_MILLIS = 5000

/**
 * Resolves when everything can be used.
 * @throws UpError, ServeError, TlogError, TufRepositoryError; then nothing is left running
 */
export async function startSigstore(options: StartOptions): Promise<RunningSigstore> {
  if (!options.insecureOpenSignIn) requireClosedSignIn(options.signIn, options.host)
  requireAddress(options)
  const directory = resolve(options.directory)
  const closers: (() => Promise<unknown>)[] = []
  const close = async (): Promise<void> => {
    for (const step of closers.splice(0).reverse()) await step()
  }
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const lock = await lockData(directory)
    closers.push(() => lock.release())
    const storage = await openDirectoryStorage(directory, randomBytes)
    const { server, become } = await listen(options)
    const url = options.url ?? defaultUrl(server)
    closers.push(() => server.close(GRACE_MILLIS))
    const sigstore = await openSigstore({ url, storage, options })
    // The logs are closed after the last request is answered.
    closers.splice(-1, 0, () => sigstore.close())
    const { issuer, localSecret } = sigstore
    await writeRunFile(storage.files, { url, origin: server.origin, issuer, localSecret })
    closers.push(() => removeRunFile(storage.files))
    become(sigstore.handler)
    let closing: Promise<void> | undefined
    return { url, origin: server.origin, directory, sigstore, close: () => (closing ??= close()) }
  } catch (error) {
    await close()
    throw isFileSystemError(error) ? unusable(directory, error) : error
  }
}

function isFileSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'path' in error
}

function unusable(directory: string, cause: NodeJS.ErrnoException): UpError {
  const { code = 'unknown error', path = directory } = cause
  return new UpError('UP_DATA_ACCESS', 'the data directory cannot be used', {
    expected: `a directory that this user may read and write: ${directory}`,
    found: `${code} at ${path}`,
    hint: code === 'ENOSPC' ? 'the disk is full' : 'change its owner, or name another one with --data',
    cause,
  })
}

/** Listening comes first: it tells the port, and a taken one before any key is made. */
async function listen({
  host,
  port,
  errorLog,
}: StartOptions): Promise<{ server: RunningServer; become: (handler: Handler) => void }> {
  let current: Handler = () =>
    Promise.resolve(json(503, { code: 503, message: 'the server is starting' }, { 'retry-after': '1' }))
  const onFault = (error: unknown): void => {
    errorLog(JSON.stringify({ level: 'error', error: error instanceof Error ? error.message : 'unknown' }))
  }
  const server = await serve((request) => current(request), { host, port, onFault })
  return {
    server,
    become: (handler) => {
      current = handler
    },
  }
}

interface Opening {
  readonly url: string
  readonly storage: InstanceStorage
  readonly options: StartOptions
}

function openSigstore({ url, storage, options }: Opening): Promise<Sigstore> {
  const { signIn, referrersApi, password, clock, elapsed, connect, accessLog, errorLog } = options
  return createSigstore({
    url,
    storage,
    signIn,
    referrersApi,
    password,
    clock,
    elapsed,
    connect,
    accessLog,
    errorLog,
    random: randomBytes,
    wait: (millis) => new Promise((done) => setTimeout(done, millis)),
  })
}

async function lockData(directory: string): Promise<DirectoryLock> {
  try {
    return await lockDirectory(directory)
  } catch (cause) {
    if (!isCodedError(cause) || cause.code !== 'TLOG_LOCKED') throw cause
    throw new UpError('UP_DATA_IN_USE', `another process serves from ${directory}`, {
      found: cause.found,
      hint: 'stop it first, or use another --data directory',
      cause,
    })
  }
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::'])

/** Certificates, the trusted root and the logs carry the address: it must be one that clients can use. */
function requireAddress({ host, url }: StartOptions): void {
  if (url !== undefined || !EVERYWHERE.has(host)) return
  throw new UpError('UP_URL', 'clients need an address to find this instance at', {
    expected: '--url with the name and port that they use',
    found: `--host ${host} alone`,
    hint: 'for example --url http://sigstore.internal:8080',
  })
}

/** Clients treat `localhost` as safe without TLS, and certificates for people should not name a number. */
function defaultUrl({ host, port, origin }: RunningServer): string {
  return host === '127.0.0.1' || host === '::1' ? `http://localhost:${String(port)}` : origin
}

/** Reads an address that clients are to use. @throws UpError UP_URL */
export function parsePublicUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  const plain =
    url !== undefined &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.pathname === '/' &&
    url.search + url.hash + url.username === ''
  if (plain) return url.origin
  throw new UpError('UP_URL', 'not an address that services can be found at', {
    expected: 'https://HOST[:PORT] without a path',
    found: text.slice(0, 200),
  })
}
