/** `countersign token`. @module */
import { join } from 'node:path'
import { readJson } from '#clients/http/body'
import { isCodedError } from '#errors'
import { isJsonObject } from '#encoding/json'
import { UpError } from '#services/up/errors'
import { parseRunFile, RUN_FILE } from '#services/up/run-file'
import type { RunFile } from '#services/up/run-file'
import { type Command, defineCommand } from '../kit/command.js'
import type { Host } from '../kit/host.js'
import { dataDirectory } from '../up/data-directory.js'

const LIMIT = 64 * 1024

export const command: Command = defineCommand({
  name: 'token',
  summary: 'Print an identity token of the local private Sigstore, for scripts',
  description:
    'Asks the instance that runs from the data directory on this machine; its owner can have a token for anybody. It works only while sign-in is open, that is, with neither --users nor --oidc-issuer. The token is good for five minutes.',
  args: { usage: 'EMAIL', min: 1, max: 1 },
  flags: {
    data: {
      kind: 'path',
      placeholder: 'DIR',
      help: 'the data directory of the instance (default ~/.countersign/sigstore)',
    },
  },
  withoutCosignEnvironment: true,
  examples: [
    {
      does: 'sign without a browser',
      run: 'sign --identity-token "$(countersign token ci@example.com)" localhost:8080/app@sha256:…',
    },
    { does: 'let cosign use it', run: 'token ci@example.com > token && SIGSTORE_ID_TOKEN=$(cat token) cosign sign …' },
  ],

  async run({ args: [email = ''], flags, host, signal }) {
    const run = await readRunFile(host, dataDirectory(host, flags.data))
    if (run.localSecret === undefined) {
      throw new UpError('UP_NO_LOCAL_TOKENS', `people have to sign in at ${run.issuer}`, {
        hint: 'sign in with a browser, or with the device flow',
      })
    }
    const token = await requestToken(host, { run, secret: run.localSecret, email, signal })
    host.terminal.note(
      `A token of the development issuer ${run.issuer}, which believes whatever it is told. It is good for five minutes.`,
    )
    host.terminal.write(`${token}\n`)
    return undefined
  },
})

async function readRunFile(host: Host, directory: string): Promise<RunFile> {
  const path = join(directory, RUN_FILE)
  return parseRunFile((await host.files.exists(path)) ? await host.files.read(path) : undefined)
}

interface TokenRequest {
  readonly run: RunFile
  readonly secret: string
  readonly email: string
  readonly signal: AbortSignal
}

async function requestToken(host: Host, { run, secret, email, signal }: TokenRequest): Promise<string> {
  const fetch = await host.connect()
  // The address that the server listens on, not the one that the world knows: the secret must not leave this machine.
  const address = `${run.origin}${new URL(run.issuer).pathname}/local-token`
  const response = await fetch(address, {
    method: 'POST',
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ email }).toString(),
    redirect: 'error',
    signal,
  }).catch((cause: unknown) => {
    if (!isCodedError(cause) || cause.code === 'HTTP_ABORTED') throw cause
    // A run file without a server behind it: the instance was killed.
    throw new UpError('UP_NOT_RUNNING', 'the private Sigstore of this data directory does not answer', {
      hint: 'start it with: countersign up',
      cause,
    })
  })
  const answer = await readJson(response, { limit: LIMIT, what: 'the token' })
  const { id_token: token, error_description: reason } = isJsonObject(answer) ? answer : {}
  if (response.status === 200 && typeof token === 'string') return token
  throw new UpError('UP_TOKEN_REFUSED', typeof reason === 'string' ? reason : 'the issuer gave no token', {
    found: `status ${String(response.status)}`,
  })
}
