/** The certificates and keys of a connection, read again as their files are replaced. @module */
import { decodeUtf8 } from '#encoding/utf8'
import type { Clock, UnixMillis } from '#time'
import type { TlsChoices } from '../http/tls-options.js'
import type { AccessFiles, ClusterTls, Material } from './cluster-access.js'
import type { Login } from './credential-source.js'
import { KubernetesError, isKubernetesError } from './kubernetes-error.js'

export interface TlsMaterial {
  /** The same object for as long as nothing changes. */
  current(login: Login): Promise<TlsChoices>
  /** As {@link current}, but reads the files now. */
  renew(login: Login): Promise<TlsChoices>
}

/** How long files are taken to be what they were. */
const FRESH_MILLIS = 60_000

/** @throws in its methods KubernetesError KUBERNETES_CONFIG for a file that cannot be read, unless it could be before. */
export function createTlsMaterial(
  tls: ClusterTls,
  { clock, files }: { readonly clock: Clock; readonly files: AccessFiles },
): TlsMaterial {
  const hasFiles = [tls.ca, tls.certificate, tls.key].some((material) => material?.kind === 'file')
  let known:
    { readonly choices: TlsChoices; readonly certificate: string | undefined; readonly at: UnixMillis } | undefined
  const read = async (login: Login): Promise<TlsChoices> => {
    const next: TlsChoices = {
      ca: await pem(tls.ca, files),
      clientCertificate: login.certificate ?? (await pem(tls.certificate, files)),
      clientKey: login.key ?? (await pem(tls.key, files)),
      serverName: tls.serverName,
      insecureSkipVerify: tls.insecureSkipVerify,
    }
    const choices = known !== undefined && isSame(known.choices, next) ? known.choices : next
    known = { choices, certificate: login.certificate, at: clock() }
    return choices
  }
  const renew = async (login: Login): Promise<TlsChoices> => {
    try {
      return await read(login)
    } catch (error) {
      // A file that is just being replaced is no reason to stop.
      if (!isKubernetesError(error) || known === undefined) throw error
      if (known.certificate !== login.certificate) throw error
      return known.choices
    }
  }
  return {
    renew,
    current: async (login) => {
      const isFresh = known !== undefined && (!hasFiles || clock() - known.at < FRESH_MILLIS)
      return known !== undefined && isFresh && known.certificate === login.certificate
        ? known.choices
        : await renew(login)
    },
  }
}

function isSame(a: TlsChoices, b: TlsChoices): boolean {
  return a.ca === b.ca && a.clientCertificate === b.clientCertificate && a.clientKey === b.clientKey
}

async function pem(material: Material | undefined, files: AccessFiles): Promise<string | undefined> {
  if (material === undefined) return undefined
  if (material.kind === 'text') return material.pem
  let bytes: Uint8Array | undefined
  try {
    bytes = await files.read(material.path)
  } catch (cause) {
    throw unreadable(material.path, cause)
  }
  if (bytes === undefined) throw unreadable(material.path)
  return decodeUtf8(bytes)
}

function unreadable(path: string, cause?: unknown): KubernetesError {
  return new KubernetesError('KUBERNETES_CONFIG', `${path} cannot be read`, {
    expected: 'a PEM file that the kubeconfig or the service account names',
    cause,
  })
}
