/** The login of the Azure CLI: `az` is run, as it is and without a shell, and gives a token of whoever is logged in to it. @module */
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import type { ProgramResult } from '../programs.js'
import { isSecret } from './answers.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts } from './cloud-ports.js'
import type { Expiring } from './recent-logins.js'

interface CliToken extends Expiring {
  /** Undefined: there is no such program, or nobody is logged in to it. */
  readonly token: string | undefined
}

/** As long as Azure's own clients wait. */
const TIME_LIMIT: UnixMillis = 10_000

/**
 * @param isChosen somebody asked for this login and no other: that there is none is an error then
 * @throws CloudError CLOUD_CREDENTIALS, CLOUD_LOGIN_EXPIRED; nothing that the program printed is in it
 */
export async function cliToken({ user }: CloudPorts, resource: string, isChosen: boolean): Promise<string | undefined> {
  // In what answers others no program is run for being on the PATH.
  if (user === undefined || (user.programs === 'chosen' && !isChosen)) return undefined
  const { token } = await user.logins.get(`azure cli ${resource}`, () => askCli(user.runner, resource))
  if (token === undefined && isChosen) {
    throw new CloudError('CLOUD_LOGIN_EXPIRED', 'the Azure CLI gives no token', {
      expected: 'the program az on PATH, and a login in it',
      hint: 'run "az login"',
    })
  }
  return token
}

async function askCli(runner: NonNullable<CloudPorts['user']>['runner'], resource: string): Promise<CliToken> {
  let result: ProgramResult
  try {
    const args = ['account', 'get-access-token', '--output', 'json', '--resource', resource]
    result = await runner.run('az', args, { stdin: '', timeLimit: TIME_LIMIT })
  } catch {
    return { token: undefined }
  }
  return result.exitCode === 0 ? readOutput(result.stdout) : { token: undefined }
}

function readOutput(output: string): CliToken {
  try {
    const answer = parseJson(output)
    const { accessToken, expires_on: until } = isJsonObject(answer) ? answer : {}
    // The other time that it says is in the zone of the machine, which it does not say.
    if (isSecret(accessToken))
      return { token: accessToken, expires: typeof until === 'number' && until > 0 ? until * 1000 : undefined }
  } catch (error) {
    if (!isCodedError(error)) throw error
  }
  throw new CloudError('CLOUD_CREDENTIALS', 'the Azure CLI answered without a token', {
    expected: 'JSON with accessToken',
  })
}
