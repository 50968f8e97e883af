/** `countersign user add`. @module */
import { randomBytes } from '#crypto/random'
import { formatUsers, hashPassword, parseUsers, requireEmail } from '#services/oidc/users'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { asText, readAll } from '../read-input.js'

const MIN_PASSWORD_LENGTH = 8

export const command: Command = defineCommand({
  name: 'user add',
  summary: 'Let somebody sign in to a private Sigstore',
  description:
    'Writes a person and the hash of their password into a users file, or gives them a new password. A private Sigstore that is started with this file ("countersign up --users FILE") asks for passwords; without one it believes any address.',
  args: { usage: 'EMAIL', min: 1, max: 1 },
  flags: {
    users: { kind: 'path', placeholder: 'FILE', default: 'users.json', help: 'the users file; made if there is none' },
    'password-stdin': { kind: 'boolean', help: 'read the password from standard input' },
  },
  withoutCosignEnvironment: true,
  examples: [
    { does: 'add a person and type the password', run: 'user add ann@example.com --users users.json' },
    {
      does: 'add a person from a script',
      run: 'user add ci@example.com --users users.json --password-stdin < password.txt',
    },
  ],

  async run({ args: [name = ''], flags, host }) {
    const email = requireEmail(name)
    const path = flags.users
    const known = (await host.files.exists(path)) ? parseUsers(await host.files.read(path)) : []
    const password = await hashPassword(await askNewPassword(host, flags['password-stdin']), randomBytes)
    const others = known.filter((record) => record.email.toLowerCase() !== email.toLowerCase())
    await host.files.write(path, formatUsers([...others, { email, password }]), { mode: 0o600 })
    host.terminal.note(`${others.length === known.length ? 'Added' : 'New password for'} ${email} in ${path}`)
    return undefined
  },
})

async function askNewPassword(host: Host, fromInput: boolean): Promise<string> {
  const password = fromInput
    ? asText(await readAll(host.terminal.stdin), 'the password').replace(/\r?\n$/, '')
    : await typeTwice(host)
  if (password.length >= MIN_PASSWORD_LENGTH) return password
  throw new CliError('CLI_INPUT', 'the password is too short', {
    expected: `at least ${String(MIN_PASSWORD_LENGTH)} characters`,
  })
}

async function typeTwice(host: Host): Promise<string> {
  const first = await host.terminal.readSecret('New password: ')
  if (first === undefined) {
    throw new CliError('CLI_PASSWORD_UNAVAILABLE', 'there is no terminal to type a password at', {
      hint: 'use --password-stdin',
    })
  }
  if ((await host.terminal.readSecret('The same again: ')) === first) return first
  throw new CliError('CLI_PASSWORD_MISMATCH', 'passwords do not match')
}
