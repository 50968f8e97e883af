/** A key pair in the CI/CD variables of a project or group of GitLab. @module */
import { openGitlabVariables } from '#clients/forge/gitlab'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { CliError } from '../../kit/errors.js'
import type { Host } from '../../kit/host.js'
import type { KeyStore } from './key-store.js'
import { NAMES, PARTS, writeThree, type ValueStore } from './three-values.js'

/** The token is that of GITLAB_TOKEN, the server that of GITLAB_HOST, or gitlab.com. */
export async function openGitlabStore(host: Host, reference: string, signal: AbortSignal): Promise<KeyStore> {
  const ports = { fetch: await host.connect(), env: host.environment }
  const variables = await openGitlabVariables(ports, reference, signal)
  const place = `the ${variables.kind} ${reference}`
  const values: ValueStore<string | undefined> = {
    before: (name) => variables.read(name),
    write: (name, value) => variables.write(name, decodeUtf8(value)),
    restore: (name, before) => (before === undefined ? variables.remove(name) : variables.write(name, before)),
  }
  return {
    place,
    holds: async () => {
      const found = await Promise.all(PARTS.map((part) => variables.read(NAMES[part])))
      return found.some((value) => value !== undefined)
    },
    read: async (part) => {
      const value = await variables.read(NAMES[part])
      if (value !== undefined) return encodeUtf8(value)
      throw new CliError('CLI_INPUT', `${place} has no variable ${NAMES[part]}`, {
        expected: 'variables as "generate-key-pair gitlab://…" makes them',
      })
    },
    write: async (pair) => {
      await writeThree(values, pair)
      return [
        `Password written to "${NAMES.password}" ${variables.kind} variable`,
        `Private key written to "${NAMES.sealed}" ${variables.kind} variable`,
        `Public key written to "${NAMES.publicKey}" ${variables.kind} variable`,
      ]
    },
  }
}
