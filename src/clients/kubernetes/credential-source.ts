/** Who we are to an API server, kept fresh: tokens that are replaced in their files, programs that are asked again. @module */
import { encodeBase64 } from '#encoding/base64'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import type { Clock, UnixMillis } from '#time'
import type { Environment } from '../http/proxy.js'
import type { ProgramRunner } from '../programs.js'
import type { AccessFiles, ClusterAccess } from './cluster-access.js'
import { askProgram } from './credential-program.js'
import { KubernetesError, isKubernetesError } from './kubernetes-error.js'

/** What proves who we are; secret. */
export interface Login {
  /** The value of an Authorization header. */
  readonly authorization?: string | undefined
  /** A client certificate and its key, in PEM, instead of the configured ones. */
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  /** When it ends by itself. */
  readonly expires?: UnixMillis | undefined
}

export interface CredentialSource {
  /** @throws KubernetesError KUBERNETES_CREDENTIALS */
  current(): Promise<Login>
  /** The server did not accept this one: it is not given again if there is another way to get one. */
  reject(login: Login): void
}

export interface CredentialPorts {
  readonly env: Environment
  readonly files: AccessFiles
  readonly runner: ProgramRunner
  readonly clock: Clock
}

/** The kubelet replaces a token when a fifth of its life is left, so that one of a minute ago is still good. */
const TOKEN_FILE_MILLIS = 60_000
/** Time that a request takes to arrive. */
const LEEWAY_MILLIS = 10_000

export function createCredentialSource(access: ClusterAccess, ports: CredentialPorts): CredentialSource {
  const { credential } = access
  if (credential.kind === 'none') return fixed({})
  if (credential.kind === 'token') return fixed({ authorization: bearer(credential.token) })
  if (credential.kind === 'basic') {
    const pair = encodeBase64(encodeUtf8(`${credential.username}:${credential.password}`))
    return fixed({ authorization: `Basic ${pair}` })
  }
  if (credential.kind === 'token-file') {
    return renewed(ports.clock, async () => {
      const authorization = bearer(await readToken(credential.path, ports.files))
      return { authorization, expires: ports.clock() + TOKEN_FILE_MILLIS + LEEWAY_MILLIS }
    })
  }
  return renewed(ports.clock, () => askProgram(credential.program, access, ports))
}

function fixed(login: Login): CredentialSource {
  return { current: () => Promise.resolve(login), reject: () => undefined }
}

/**
 * Asks for a new login when the old one ends or was rejected, once for all who wait. A login that could not be renewed
 * is used on for as long as the server takes it: a file that is just being replaced is no reason to stop.
 */
function renewed(clock: Clock, renew: () => Promise<Login>): CredentialSource {
  let known: Login | undefined
  let pending: Promise<Login> | undefined
  const isFresh = ({ expires }: Login): boolean => expires === undefined || expires - LEEWAY_MILLIS > clock()
  const ask = async (): Promise<Login> => {
    const last = known
    try {
      return (known = await renew())
    } catch (error) {
      if (last === undefined || !isKubernetesError(error)) throw error
      return last
    } finally {
      pending = undefined
    }
  }
  return {
    current: async () => (known !== undefined && isFresh(known) ? known : await (pending ??= ask())),
    reject: (login) => {
      if (known === login) known = undefined
    },
  }
}

async function readToken(path: string, files: AccessFiles): Promise<string> {
  let bytes: Uint8Array | undefined
  try {
    bytes = await files.read(path)
  } catch (cause) {
    throw noToken(path, cause)
  }
  const token = bytes === undefined ? '' : decodeUtf8(bytes).trim()
  if (token === '') throw noToken(path)
  return token
}

function noToken(path: string, cause?: unknown): KubernetesError {
  return new KubernetesError('KUBERNETES_CREDENTIALS', `there is no token in ${path}`, {
    expected: 'a file with the token of a service account or a user',
    cause,
  })
}

/** A line break would begin another header. */
function bearer(token: string): string {
  if (!/^[\u0021-\u007e]+$/.test(token)) {
    throw new KubernetesError('KUBERNETES_CREDENTIALS', 'the token is not one that can be sent', {
      expected: 'printable ASCII without spaces',
    })
  }
  return `Bearer ${token}`
}
