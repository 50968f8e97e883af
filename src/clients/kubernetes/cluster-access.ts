/** How to reach a cluster, whatever said so: a kubeconfig or the pod that we run in. @module */

/** A cluster and who we are there. */
export interface ClusterAccess {
  /** The API server's address, without a slash at its end. */
  readonly server: string
  readonly tls: ClusterTls
  readonly credential: ClusterCredential
  /** Headers that say for whom we act (`Impersonate-User`, …). */
  readonly impersonation: Readonly<Record<string, string>>
  /** The proxy for this cluster alone, instead of the environment's. */
  readonly proxyUrl: string | undefined
  /** The namespace of what names none. */
  readonly namespace: string
}

export interface ClusterTls {
  readonly ca: Material | undefined
  readonly certificate: Material | undefined
  readonly key: Material | undefined
  readonly serverName: string | undefined
  readonly insecureSkipVerify: boolean
}

/** A PEM text, or the file that holds it and may be replaced while we run. */
export type Material =
  { readonly kind: 'text'; readonly pem: string } | { readonly kind: 'file'; readonly path: string }

export type ClusterCredential =
  | { readonly kind: 'none' }
  | { readonly kind: 'token'; readonly token: string }
  /** Read again as it is replaced. */
  | { readonly kind: 'token-file'; readonly path: string }
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  | { readonly kind: 'program'; readonly program: CredentialProgram }

/** A credential plugin (client.authentication.k8s.io). */
export interface CredentialProgram {
  readonly apiVersion: string
  readonly command: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly installHint: string | undefined
  readonly provideClusterInfo: boolean
}

/** Reading files, as a port. */
export interface AccessFiles {
  /** The bytes, or undefined if there is no such file. Rejects for a file that cannot be read. */
  read(path: string): Promise<Uint8Array | undefined>
}

/** Files of this machine. */
export const nodeAccessFiles: AccessFiles = {
  read: async (path) => {
    const { readFile } = await import('node:fs/promises')
    try {
      return await readFile(path)
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
        return undefined
      }
      throw error
    }
  },
}
