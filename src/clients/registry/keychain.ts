/** The keychain of this machine: Docker's and podman's files and helpers. @module */
import { readFileSync } from 'node:fs'
import { randomBytes } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import type { Environment } from '../http/proxy.js'
import { nodeProgramRunner, type ProgramRunner } from '../programs.js'
import { askHelper } from './credential-helper.js'
import { ANONYMOUS, type Credentials, type Keychain } from './credentials.js'
import { findCredentials, parseDockerConfig, withLogin, type DockerConfig } from './docker-config.js'
import { RegistryError } from './registry-error.js'

/** Files of this machine, as a port. */
export interface ConfigFiles {
  /** The bytes, or undefined if there is no such file. */
  readonly read: (path: string) => Promise<Uint8Array | undefined>
  /** Replaces the file whole, readable by its owner only. */
  readonly replace: (path: string, bytes: Uint8Array) => Promise<void>
}

/** What the machine's keychain needs. */
export interface KeychainPorts {
  readonly env: Environment
  readonly files?: ConfigFiles
  readonly runner?: ProgramRunner
}

/** Reads the files at most once, and asks each helper at most once a server. */
export function machineKeychain({ env, files = nodeConfigFiles, runner = nodeProgramRunner }: KeychainPorts): Keychain {
  const asked = new Map<string, Promise<Credentials>>()
  let configs: Promise<readonly DockerConfig[]> | undefined
  const ask = async (helper: string, server: string): Promise<Credentials> => {
    const key = `${helper} ${server}`
    const answer = asked.get(key) ?? askHelper(helper, server, runner)
    asked.set(key, answer)
    return await answer
  }
  return async (repository) => {
    configs ??= loadConfigs(env, files)
    for (const config of await configs) {
      const place = findCredentials(config, repository)
      if (place?.kind === 'inline') return place.credentials
      const answer = place === undefined ? ANONYMOUS : await ask(place.helper, place.server)
      if (answer.kind !== 'anonymous') return answer
    }
    return ANONYMOUS
  }
}

/** The file that `login` writes. */
export function loginPath(env: Environment): string | undefined {
  const { DOCKER_CONFIG: docker = '', HOME: home = '' } = env
  if (docker !== '') return `${docker}/config.json`
  return home === '' ? undefined : `${home}/.docker/config.json`
}

/**
 * Remembers a login and says where: with the configured helper, or else in the file itself.
 * @throws RegistryError REGISTRY_CREDENTIALS, REGISTRY_CREDENTIAL_HELPER
 */
export async function saveLogin(
  login: { readonly registry: string; readonly username: string; readonly password: string },
  { env, files = nodeConfigFiles, runner = nodeProgramRunner }: KeychainPorts,
): Promise<string> {
  const path = loginPath(env)
  if (path === undefined) {
    throw new RegistryError('REGISTRY_CREDENTIALS', 'there is nowhere to keep the login', {
      expected: 'DOCKER_CONFIG or HOME in the environment',
    })
  }
  const source = await files.read(path)
  const config = source === undefined ? undefined : parseDockerConfig(source, path)
  const place =
    config === undefined ? undefined : findCredentials({ ...config, auths: new Map() }, { ...login, repository: '' })
  if (place?.kind === 'helper') {
    const stdin = JSON.stringify({ ServerURL: place.server, Username: login.username, Secret: login.password })
    const { exitCode } = await runner.run(`docker-credential-${place.helper}`, ['store'], { stdin })
    if (exitCode === 0) return path
    throw new RegistryError(
      'REGISTRY_CREDENTIAL_HELPER',
      `the credential helper ${place.helper} did not take the login`,
    )
  }
  await files.replace(path, withLogin(source, path, login))
  return path
}

async function loadConfigs(env: Environment, files: ConfigFiles): Promise<readonly DockerConfig[]> {
  const loaded = await Promise.all(configPaths(env).map(async (path) => ({ path, bytes: await files.read(path) })))
  return loaded.flatMap(({ path, bytes }) => (bytes === undefined ? [] : [parseDockerConfig(bytes, path)]))
}

/** What somebody chose in the environment comes before what stands in the usual places. */
function configPaths(env: Environment): readonly string[] {
  const at = (name: string, rest: string): string[] => {
    const value = env[name] ?? ''
    return value === '' ? [] : [`${value}${rest}`]
  }
  const docker = at('DOCKER_CONFIG', '/config.json')
  const paths = [
    ...docker,
    ...at('REGISTRY_AUTH_FILE', ''),
    ...(docker.length > 0 ? [] : at('HOME', '/.docker/config.json')),
    ...at('XDG_RUNTIME_DIR', '/containers/auth.json'),
    ...(env['XDG_CONFIG_HOME'] === undefined
      ? at('HOME', '/.config/containers/auth.json')
      : at('XDG_CONFIG_HOME', '/containers/auth.json')),
  ]
  return [...new Set(paths)]
}

const nodeConfigFiles: ConfigFiles = {
  read: async (path) => {
    try {
      // Every command that asks a registry comes through here. To read two small files any other way, threads would be started.
      return readFileSync(path)
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
      throw new RegistryError('REGISTRY_CREDENTIALS', `${path} cannot be read`, { found: code, cause })
    }
  },
  replace: async (path, bytes) => {
    const { mkdir, rename, writeFile } = await import('node:fs/promises')
    const paths = await import('node:path')
    await mkdir(paths.dirname(path), { recursive: true, mode: 0o700 })
    // A rename is atomic, so nobody reads half a file and a crash leaves the old one.
    const temporary = `${path}.${encodeHex(randomBytes(6))}`
    await writeFile(temporary, bytes, { mode: 0o600, flag: 'wx' })
    await rename(temporary, path)
  },
}
