/** Whom to trust on TLS, and what to show there: from flags and from the environment. @module */
import type { Environment } from './proxy.js'
import { HttpError } from './http-error.js'

/** Reading files, as a port. */
export interface TlsFiles {
  readFile(path: string): Promise<Uint8Array>
  /** File names in a directory. */
  readDirectory(path: string): Promise<readonly string[]>
}

/** Explicit choices, such as `--registry-cacert`; paths are read when the first TLS connection is made. */
export interface TlsChoices {
  /** PEM file of the authorities to trust instead of the usual ones. */
  readonly caFile?: string | undefined
  readonly clientCertificateFile?: string | undefined
  readonly clientKeyFile?: string | undefined
  /** The same as PEM texts, where there are no files (a kubeconfig holds its own). */
  readonly ca?: string | undefined
  readonly clientCertificate?: string | undefined
  readonly clientKey?: string | undefined
  /** The name to ask for and to find in the certificate, instead of the host's. */
  readonly serverName?: string | undefined
  /** Accept any certificate. Loudly named, since it gives up what TLS is for. */
  readonly insecureSkipVerify?: boolean | undefined
}

/** What node:tls takes. */
export interface TlsSettings {
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
  readonly servername?: string
  readonly rejectUnauthorized: boolean
}

/**
 * Loads what the choices and SSL_CERT_FILE / SSL_CERT_DIR name. Either replaces the built-in authorities, as in
 * OpenSSL and Go; NODE_EXTRA_CA_CERTS adds to them and is node's own doing.
 * @throws {@link HttpError} HTTP_CA if a named file cannot be used: an ignored trust option is a wrong one.
 */
export async function loadTlsSettings(choices: TlsChoices, env: Environment, files: TlsFiles): Promise<TlsSettings> {
  const { serverName, insecureSkipVerify = false } = choices
  const chosen = await pem({ text: choices.ca, file: choices.caFile }, CERTIFICATE, files)
  const ca = chosen === undefined ? await environmentAuthorities(env, files) : [chosen]
  const cert = await pem({ text: choices.clientCertificate, file: choices.clientCertificateFile }, CERTIFICATE, files)
  const key = await pem({ text: choices.clientKey, file: choices.clientKeyFile }, PRIVATE_KEY, files)
  if ((cert === undefined) !== (key === undefined)) {
    throw new HttpError('HTTP_CA', 'a client certificate and its key belong together', {
      expected: 'both of them',
      found: key === undefined ? 'only the certificate' : 'only the key',
    })
  }
  return {
    rejectUnauthorized: !insecureSkipVerify,
    ...(ca.length > 0 && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
  }
}

interface PemSource {
  readonly text: string | undefined
  readonly file: string | undefined
}

async function pem({ text, file }: PemSource, marker: string, files: TlsFiles): Promise<string | undefined> {
  if (text !== undefined) return checkPem(text, 'what was given', marker)
  return file === undefined ? undefined : await readPem(file, marker, files)
}

const CERTIFICATE = '-----BEGIN CERTIFICATE-----'
const PRIVATE_KEY = 'PRIVATE KEY-----'

async function environmentAuthorities(env: Environment, files: TlsFiles): Promise<string[]> {
  const file = env['SSL_CERT_FILE'] ?? ''
  const directories = (env['SSL_CERT_DIR'] ?? '').split(':').filter((path) => path !== '')
  const fromFile = file === '' ? [] : [await readPem(file, CERTIFICATE, files)]
  // A directory usually stands beside the file that was made from it; reading both would only cost time.
  const fromDirectories = fromFile.length > 0 ? [] : await Promise.all(directories.map((path) => readAll(path, files)))
  return [...fromFile, ...fromDirectories.flat()]
}

async function readAll(directory: string, files: TlsFiles): Promise<string[]> {
  let names: readonly string[]
  try {
    names = await files.readDirectory(directory)
  } catch (cause) {
    throw unreadable(directory, cause)
  }
  const texts = await Promise.all(names.map((name) => readLeniently(`${directory}/${name}`, files)))
  const found = [...new Set(texts)].filter((text) => text.includes(CERTIFICATE))
  if (found.length > 0) return found
  throw new HttpError('HTTP_CA', `${directory} holds no certificate`, { expected: 'PEM files of certificates' })
}

/** In a directory of authorities other files (a README, a dangling link) are no error. */
async function readLeniently(path: string, files: TlsFiles): Promise<string> {
  try {
    return new TextDecoder().decode(await files.readFile(path))
  } catch {
    return ''
  }
}

async function readPem(path: string, marker: string, files: TlsFiles): Promise<string> {
  let text: string
  try {
    text = new TextDecoder().decode(await files.readFile(path))
  } catch (cause) {
    throw unreadable(path, cause)
  }
  return checkPem(text, path, marker)
}

function checkPem(text: string, from: string, marker: string): string {
  if (text.includes(marker)) return text
  throw new HttpError('HTTP_CA', `${from} is not PEM of the right kind`, {
    expected: marker === CERTIFICATE ? 'PEM blocks of the type CERTIFICATE' : 'a PEM block with a private key',
  })
}

function unreadable(path: string, cause: unknown): HttpError {
  return new HttpError('HTTP_CA', `${path} cannot be read`, {
    hint: 'Check the path in the flag, or in SSL_CERT_FILE or SSL_CERT_DIR.',
    cause,
  })
}
