/** Credential plugins: programs that print an `ExecCredential` (client.authentication.k8s.io). @module */
import { encodeBase64 } from '#encoding/base64'
import { isJsonObject, parseJson, type JsonObject, type JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseRfc3339 } from '#time'
import type { ProgramResult } from '../programs.js'
import type { ClusterAccess, CredentialProgram, Material } from './cluster-access.js'
import type { CredentialPorts, Login } from './credential-source.js'
import { KubernetesError } from './kubernetes-error.js'

/** @throws {@link KubernetesError} KUBERNETES_CREDENTIALS; nothing of what the program printed is in it */
export async function askProgram(
  program: CredentialProgram,
  access: ClusterAccess,
  ports: CredentialPorts,
): Promise<Login> {
  const info = {
    apiVersion: program.apiVersion,
    kind: 'ExecCredential',
    spec: {
      ...(program.provideClusterInfo && { cluster: await clusterInfo(access, ports) }),
      // Nobody sits at the standard input of a controller, nor at ours once a command has begun.
      interactive: false,
    },
  }
  const env = { ...ports.env, ...program.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) }
  let result: ProgramResult
  try {
    result = await ports.runner.run(program.command, program.args, { stdin: '', env })
  } catch (cause) {
    throw failed(program, 'a program that can be started', cause)
  }
  if (result.exitCode !== 0) throw failed(program, 'exit code 0')
  return readAnswer(program, result.stdout)
}

async function clusterInfo({ server, tls, proxyUrl }: ClusterAccess, { files }: CredentialPorts): Promise<JsonObject> {
  const ca = tls.ca === undefined ? undefined : await pemBytes(tls.ca, files)
  return {
    server,
    'insecure-skip-tls-verify': tls.insecureSkipVerify,
    ...(tls.serverName !== undefined && { 'tls-server-name': tls.serverName }),
    ...(ca !== undefined && { 'certificate-authority-data': encodeBase64(ca) }),
    ...(proxyUrl !== undefined && { 'proxy-url': proxyUrl }),
  }
}

async function pemBytes(material: Material, files: CredentialPorts['files']): Promise<Uint8Array | undefined> {
  return material.kind === 'text' ? encodeUtf8(material.pem) : await files.read(material.path)
}

function readAnswer(program: CredentialProgram, output: string): Login {
  const answer = parsed(program, output)
  const status = isJsonObject(answer) ? answer['status'] : undefined
  if (!isJsonObject(answer) || answer['kind'] !== 'ExecCredential' || !isJsonObject(status)) {
    throw failed(program, 'an ExecCredential with a status')
  }
  if (answer['apiVersion'] !== program.apiVersion) throw failed(program, `apiVersion ${program.apiVersion}`)
  const token = text(status['token'])
  const certificate = text(status['clientCertificateData'])
  const key = text(status['clientKeyData'])
  if ((certificate === undefined) !== (key === undefined) || (token === undefined && key === undefined)) {
    throw failed(program, 'a token, or clientCertificateData and clientKeyData')
  }
  if (token !== undefined && !/^[\u0021-\u007e]+$/.test(token)) throw failed(program, 'a token of printable ASCII')
  return {
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    certificate,
    key,
    expires: expiry(program, status['expirationTimestamp']),
  }
}

function parsed(program: CredentialProgram, output: string): JsonValue {
  try {
    return parseJson(output)
  } catch (error) {
    // The output may be a secret in the wrong form, so nothing of it is passed on.
    if (isCodedError(error)) throw failed(program, 'JSON')
    throw error
  }
}

function expiry(program: CredentialProgram, value: JsonValue | undefined): number | undefined {
  if (value === undefined || value === null || value === '') return undefined
  try {
    return parseRfc3339(typeof value === 'string' ? value : '')
  } catch (error) {
    if (isCodedError(error)) throw failed(program, 'an expirationTimestamp such as 2025-01-31T12:00:00Z')
    throw error
  }
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

function failed({ command, installHint }: CredentialProgram, expected: string, cause?: unknown): KubernetesError {
  return new KubernetesError('KUBERNETES_CREDENTIALS', `the credential plugin ${command} did not work`, {
    expected,
    hint: installHint ?? 'Run it by hand, or log in again.',
    cause,
  })
}
