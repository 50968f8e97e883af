/** A key pair in the secrets of GitHub Actions, from which it reaches a workflow and nobody else. @module */
import { openGithubSecrets } from '#clients/forge/github'
import { randomBytes } from '#crypto/random'
import { CliError } from '../../kit/errors.js'
import type { Host } from '../../kit/host.js'
import type { KeyStore } from './key-store.js'
import { NAMES, PARTS, writeThree, type ValueStore } from './three-values.js'

/** The token is that of GITHUB_TOKEN, the server that of GITHUB_HOST, or github.com. */
export async function openGithubStore(host: Host, reference: string, signal: AbortSignal): Promise<KeyStore> {
  const ports = { fetch: await host.connect(), env: host.environment, random: randomBytes }
  const secrets = openGithubSecrets(ports, reference, signal)
  const values: ValueStore<boolean> = {
    before: (name) => secrets.exists(name),
    write: (name, value) => secrets.write(name, value),
    restore: async (name, existed) => {
      // What it was nobody can read any more.
      if (existed) throw new CliError('CLI_UNSUPPORTED', `the former ${name} cannot be read`)
      await secrets.remove(name)
    },
  }
  return {
    place: `the secrets of ${reference}`,
    holds: async () => (await Promise.all(PARTS.map((part) => secrets.exists(NAMES[part])))).includes(true),
    read: () =>
      Promise.reject(
        new CliError('CLI_UNSUPPORTED', 'secrets of GitHub can be written, and not be read', {
          expected: 'another key reference',
          hint: 'in a workflow, put the secret into a variable and give --key env://COSIGN_PRIVATE_KEY',
        }),
      ),
    write: async (pair) => {
      await writeThree(values, pair)
      return [
        `Password written to ${NAMES.password} github actions secret`,
        `Private key written to ${NAMES.sealed} github actions secret`,
        `Public key written to ${NAMES.publicKey} github actions secret`,
      ]
    },
  }
}
