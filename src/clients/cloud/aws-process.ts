/** A program that gives a login for AWS (`credential_process`), run as it is and without a shell. @module */
import { isJsonObject, type JsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import { parseRfc3339, type UnixMillis } from '#time'
import type { ProgramResult } from '../programs.js'
import { isSecret } from './answers.js'
import type { AwsLogin } from './aws-sts.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts, UserPorts } from './cloud-ports.js'
import { splitCommand } from './split-command.js'

/** Any of these says which file is meant, and so which program. */
const CHOOSING = ['AWS_PROFILE', 'AWS_DEFAULT_PROFILE', 'AWS_CONFIG_FILE', 'AWS_SHARED_CREDENTIALS_FILE'] as const

/** @throws CloudError CLOUD_SETTINGS, CLOUD_CREDENTIALS; nothing that the program printed is in it */
export async function processCredentials(
  { env, clock }: CloudPorts,
  { runner, programs }: UserPorts,
  command: string,
): Promise<AwsLogin> {
  if (programs === 'chosen' && CHOOSING.every((name) => (env[name] ?? '') === '')) {
    throw new CloudError('CLOUD_SETTINGS', 'credential_process of a file in the home folder is not run here', {
      expected: `one of ${CHOOSING.join(', ')} in the environment`,
      hint: 'what answers others runs a program only if a variable chooses the file that names it',
    })
  }
  const [program, ...args] = splitCommand(command) ?? []
  if (program === undefined) {
    throw new CloudError('CLOUD_SETTINGS', 'credential_process is not a command without a shell', {
      expected: 'a program and its arguments, in quotes where there are spaces in them',
      hint: 'variables, ~ and pipes are for a shell: write a script, and name it by its whole path',
    })
  }
  let result: ProgramResult
  try {
    result = await runner.run(program, args, { stdin: '' })
  } catch {
    // Why may quote the arguments, which are for the program alone.
    throw failed('a program that can be started')
  }
  if (result.exitCode !== 0) throw failed('exit code 0')
  return readOutput(result.stdout, clock())
}

function readOutput(output: string, now: UnixMillis): AwsLogin {
  const answer = parsed(output)
  const { AccessKeyId: id, SecretAccessKey: secret, SessionToken: token = null, Expiration: until = null } = answer
  if (answer['Version'] !== 1) throw failed('JSON with Version 1')
  if (!isSecret(id) || !isSecret(secret)) throw failed('AccessKeyId and SecretAccessKey')
  if (token !== null && token !== '' && !isSecret(token)) throw failed('a SessionToken')
  const expires = until === null ? undefined : expiry(until)
  if (expires !== undefined && expires <= now) throw failed('a login that has not run out')
  return {
    accessKeyId: id,
    secretAccessKey: secret,
    sessionToken: token === null || token === '' ? undefined : token,
    expires,
  }
}

function parsed(output: string): JsonObject {
  try {
    const answer = parseJson(output)
    if (isJsonObject(answer)) return answer
  } catch (error) {
    // What it printed may be a secret in the wrong form, so nothing of it is passed on.
    if (!isCodedError(error)) throw error
  }
  throw failed('a JSON object')
}

function expiry(value: unknown): UnixMillis {
  try {
    return parseRfc3339(typeof value === 'string' ? value : '')
  } catch (error) {
    if (isCodedError(error)) throw failed('an Expiration such as 2025-01-31T12:00:00Z')
    throw error
  }
}

function failed(expected: string): CloudError {
  return new CloudError('CLOUD_CREDENTIALS', 'the program of credential_process gives no login', {
    expected,
    hint: 'run it by hand, or log in again',
  })
}
