/** `countersign up`. @module */
import { isCodedError } from '#errors'
import { parseUsers } from '#services/oidc/users'
import type { SignIn } from '#services/up/sign-in'
import { parsePublicUrl, startSigstore } from '#services/up/start'
import type { RunningSigstore } from '#services/up/start'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { dataDirectory } from '../up/data-directory.js'
import { readUpPassword } from '../up/password.js'
import { describeRunning, runningDocument } from '../up/describe.js'

export const command: Command = defineCommand({
  name: 'up',
  summary: 'Run a private Sigstore: sign-in, Fulcio, CT log, Rekor, timestamps, TUF and a registry',
  description:
    'Everything runs in one process, on one port, and keeps its keys and logs in one directory, which is made on the first start. The process can be killed at any moment and started again: nothing that was acknowledged is lost. Without --users or --oidc-issuer anybody who reaches it can sign in under any address, so it then listens on loopback addresses only. COUNTERSIGN_PASSWORD, or --password-file, encrypts the keys.',
  flags: {
    data: {
      kind: 'path',
      placeholder: 'DIR',
      help: 'where keys, logs and images are kept (default ~/.countersign/sigstore)',
    },
    port: { kind: 'number', default: 8080, help: 'port to listen on; 0 takes any free one' },
    host: { kind: 'string', placeholder: 'ADDRESS', default: '127.0.0.1', help: 'address to listen on' },
    url: { kind: 'url', help: 'what clients call it, if that is another address, for example that of a proxy' },
    users: { kind: 'path', placeholder: 'FILE', help: 'who may sign in, as written by "countersign user add"' },
    'oidc-issuer': { kind: 'url', help: 'let this provider vouch for people instead' },
    'oidc-client-id': { kind: 'string', default: 'sigstore', help: "the audience of that provider's tokens" },
    'insecure-open-sign-in': {
      kind: 'boolean',
      help: 'let anybody who reaches it sign in under any address, from any host',
    },
    'password-file': { kind: 'path', placeholder: 'FILE', help: 'file with the password that encrypts the keys' },
    'referrers-api': {
      kind: 'boolean',
      default: true,
      help: 'offer the referrers API in the registry; false tests the fallback of clients',
    },
    'access-log': { kind: 'boolean', help: 'a line of JSON a request on standard error' },
    output: {
      kind: 'string',
      short: 'o',
      default: 'text',
      choices: ['text', 'json'],
      help: 'how to tell the addresses',
    },
  },
  withoutCosignEnvironment: true,
  longRunning: true,
  examples: [
    { does: 'start one in this directory', run: 'up --data ./sigstore' },
    {
      does: 'let people in by password',
      run: 'up --data ./sigstore --users users.json --host 0.0.0.0 --url https://sigstore.example.com',
    },
    { does: 'take any free port and tell a script about it', run: 'up --data ./sigstore --port 0 --output json' },
  ],

  async run({ flags, host }) {
    const { terminal } = host
    const started = performance.now()
    const running = await startSigstore({
      directory: dataDirectory(host, flags.data),
      host: flags.host,
      port: flags.port,
      ...(flags.url !== undefined && { url: parsePublicUrl(flags.url) }),
      signIn: await chooseSignIn(host, flags),
      insecureOpenSignIn: flags['insecure-open-sign-in'],
      referrersApi: flags['referrers-api'],
      password: await readUpPassword(host, flags['password-file']),
      clock: host.clock,
      elapsed: () => performance.now(),
      connect: () => host.connect(),
      ...(flags['access-log'] && { accessLog: (line: string) => terminal.note(line) }),
      errorLog: (line) => terminal.note(line),
    })
    tell(running, {
      host,
      json: flags.output === 'json',
      open: flags.users === undefined && flags['oidc-issuer'] === undefined,
      millis: performance.now() - started,
      clientId: flags['oidc-client-id'],
    })
    if (flags['oidc-issuer'] !== undefined) await tryIssuer(host, flags['oidc-issuer'])
    await untilAborted(host.interrupted)
    await running.close()
    return 0
  },
})

interface Telling {
  readonly host: Host
  readonly json: boolean
  readonly open: boolean
  readonly millis: number
  readonly clientId: string
}

function tell(running: RunningSigstore, { host, json, ...telling }: Telling): void {
  if (json) host.terminal.write(`${JSON.stringify(runningDocument(running))}\n`)
  else host.terminal.write(describeRunning(running, telling))
}

/** Says at once what people would otherwise find out one by one. It starts all the same: the provider may come later. */
async function tryIssuer(host: Host, issuer: string): Promise<void> {
  try {
    const { discoverIssuer } = await import('#clients/oidc/issuer')
    await discoverIssuer(await host.connect(), issuer)
  } catch (error) {
    if (!isCodedError(error)) throw error
    const { message, expected, found } = error
    const detail = expected === undefined ? (found ?? '') : `expected ${expected}, found ${found ?? 'nothing'}`
    host.terminal.note(`WARNING: nobody can sign in at ${issuer} now: ${message}${detail === '' ? '' : ` (${detail})`}`)
  }
}

interface SignInFlags {
  readonly users: string | undefined
  readonly 'oidc-issuer': string | undefined
  readonly 'oidc-client-id': string
}

async function chooseSignIn(host: Host, flags: SignInFlags): Promise<SignIn> {
  const { users, 'oidc-issuer': issuer, 'oidc-client-id': clientId } = flags
  if (users !== undefined && issuer !== undefined) {
    throw new UsageError('USAGE_FLAG_CONFLICT', '--users and --oidc-issuer exclude each other', {
      hint: 'a provider knows its people itself',
    })
  }
  if (issuer !== undefined) return { kind: 'external', issuer, clientId }
  if (users === undefined) return { kind: 'development' }
  return { kind: 'listed', users: parseUsers(await host.files.read(users)) }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
