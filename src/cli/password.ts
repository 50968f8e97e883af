/** Where the password of a private key comes from. @module */
import { encodeUtf8 } from '#encoding/utf8'
import { CliError } from './kit/errors.js'
import type { Host } from './kit/host.js'
import { readAll } from './read-input.js'

const VARIABLES = ['COUNTERSIGN_PASSWORD', 'COSIGN_PASSWORD'] as const

/**
 * The password: from the environment (set and empty means the empty password), typed at the terminal, or all of standard
 * input when that is no terminal, byte for byte as cosign takes it.
 * @throws {@link CliError} `CLI_PASSWORD_MISMATCH`, `CLI_PASSWORD_UNAVAILABLE`
 */
export async function askPassword(host: Host, { twice }: { readonly twice: boolean }): Promise<Uint8Array> {
  const variable = VARIABLES.find((name) => host.environment[name] !== undefined)
  if (variable !== undefined) return encodeUtf8(host.environment[variable] ?? '')
  const { terminal } = host
  if (!terminal.stdinIsTty) return await readAll(terminal.stdin)
  const password = await typed(host, 'Enter password for private key: ')
  if (twice && (await typed(host, 'Enter password for private key again: ')) !== password) {
    throw new CliError('CLI_PASSWORD_MISMATCH', 'passwords do not match')
  }
  return encodeUtf8(password)
}

async function typed(host: Host, prompt: string): Promise<string> {
  const line = await host.terminal.readSecret(prompt)
  if (line !== undefined) return line
  throw new CliError('CLI_PASSWORD_UNAVAILABLE', 'no password was given', { hint: 'set COSIGN_PASSWORD, or type one' })
}
