/** `countersign login`. @module */
import { saveLogin } from '#clients/registry/keychain'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import { asText, readAll } from '../read-input.js'

export const command: Command = defineCommand({
  name: 'login',
  summary: 'Log in to a registry',
  description: 'The login is kept where Docker keeps its own, by a credential helper if one is configured.',
  args: { usage: 'SERVER', min: 1, max: 1 },
  flags: {
    username: { kind: 'string', short: 'u', help: 'user name' },
    password: { kind: 'string', short: 'p', secret: true, help: 'password; better given on standard input' },
    'password-stdin': { kind: 'boolean', help: 'read the password from standard input' },
  },
  examples: [
    {
      does: 'log in with a token that is kept in a file',
      run: 'login registry.example.com -u ci --password-stdin < token',
    },
  ],

  async run({ args: [server = ''], flags, host }) {
    const { username } = flags
    if (flags['password-stdin'] && flags.password !== undefined) {
      throw new UsageError('USAGE_FLAG_CONFLICT', '--password and --password-stdin are mutually exclusive')
    }
    if (flags.password !== undefined)
      host.terminal.note('WARNING: Using --password via the CLI is insecure. Use --password-stdin.')
    const password = flags['password-stdin']
      ? asText(await readAll(host.terminal.stdin), 'the password').replace(/\r?\n$/, '')
      : (flags.password ?? (await host.terminal.readSecret('Password: ')) ?? '')
    if (username === undefined || password === '') {
      throw new CliError('CLI_INPUT', 'username and password required', { hint: 'give -u and --password-stdin' })
    }
    const registry = ['docker.io', 'registry-1.docker.io'].includes(server) ? 'index.docker.io' : server
    const path = await saveLogin({ registry, username, password }, { env: host.environment })
    host.terminal.note(`logged in via ${path}`)
    return undefined
  },
})
