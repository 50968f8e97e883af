/** Docker's credential helpers: programs that keep the secrets (docker/docker-credential-helpers). @module */
import { isJsonObject, parseJson, type JsonValue } from '#encoding/json'
import type { ProgramResult, ProgramRunner } from '../programs.js'
import { ANONYMOUS, type Credentials } from './credentials.js'
import { RegistryError } from './registry-error.js'

/** The user name with which helpers mark a refresh token. */
const TOKEN_USER = '<token>'

/**
 * Asks `docker-credential-<helper>` for a server's credentials; anonymous if it has none.
 * @throws RegistryError REGISTRY_CREDENTIAL_HELPER
 */
export async function askHelper(helper: string, server: string, runner: ProgramRunner): Promise<Credentials> {
  // The name comes from a file; it must not become a path.
  if (!/^[A-Za-z0-9][\w.-]*$/.test(helper)) throw failed(helper, 'a plain helper name')
  const program = `docker-credential-${helper}`
  let result: ProgramResult
  try {
    result = await runner.run(program, ['get'], { stdin: server })
  } catch (cause) {
    throw failed(helper, `the program ${program} on PATH`, cause)
  }
  if (result.exitCode !== 0) {
    if (/credentials not found|no credentials server URL|no username/i.test(result.stdout)) return ANONYMOUS
    throw failed(helper, 'exit code 0')
  }
  return readAnswer(helper, result.stdout)
}

function readAnswer(helper: string, output: string): Credentials {
  let answer: JsonValue
  try {
    answer = parseJson(output)
  } catch {
    // The output may be a secret in the wrong form, so nothing of it is passed on.
    throw failed(helper, 'JSON with Username and Secret')
  }
  const username = isJsonObject(answer) ? answer['Username'] : undefined
  const secret = isJsonObject(answer) ? answer['Secret'] : undefined
  if (typeof username !== 'string' || typeof secret !== 'string') throw failed(helper, 'JSON with Username and Secret')
  if (username === TOKEN_USER) return { kind: 'identity-token', token: secret }
  return username === '' && secret === '' ? ANONYMOUS : { kind: 'basic', username, password: secret }
}

function failed(helper: string, expected: string, cause?: unknown): RegistryError {
  return new RegistryError('REGISTRY_CREDENTIAL_HELPER', `the credential helper ${helper.slice(0, 60)} did not work`, {
    expected,
    hint: 'Run it by hand, sign in again, or remove it from the registry configuration.',
    cause,
  })
}
