/** The certificates of a test cluster, made with OpenSSL. @module */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { must } from '../interop/processes.js'

/** Paths of PEM files. */
export interface KeyPairFiles {
  readonly certificate: string
  readonly key: string
}

export interface ClusterCertificates {
  readonly ca: string
  readonly server: KeyPairFiles
  /** A user in `system:masters`. */
  readonly admin: KeyPairFiles
  readonly serviceAccountKey: string
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

export async function issueCertificates(folder: string): Promise<ClusterCertificates> {
  const path = (name: string): string => join(folder, name)
  const [ca, caKey] = [path('ca.crt'), path('ca.key')]
  await openssl(['req', '-x509', ...KEY, '-subj', '/CN=test-ca', '-days', '2', '-keyout', caKey, '-out', ca])
  const issue = async (name: string, subject: string, extensions: string): Promise<KeyPairFiles> => {
    const [key, request, certificate] = [path(`${name}.key`), path(`${name}.csr`), path(`${name}.crt`)]
    await writeFile(path(`${name}.ext`), extensions)
    await openssl(['req', ...KEY, '-subj', subject, '-keyout', key, '-out', request])
    const sign = ['-in', request, '-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-extfile', path(`${name}.ext`)]
    await openssl(['x509', '-req', ...sign, '-days', '2', '-out', certificate])
    return { certificate, key }
  }
  const server = await issue(
    'server',
    '/CN=kube-apiserver',
    'subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\nextendedKeyUsage=serverAuth\n',
  )
  const admin = await issue('admin', '/O=system:masters/CN=root', 'extendedKeyUsage=clientAuth\n')
  const serviceAccountKey = path('service-accounts.key')
  await openssl(['genrsa', '-out', serviceAccountKey, '2048'])
  return { ca, server, admin, serviceAccountKey }
}

async function openssl(args: readonly string[]): Promise<void> {
  await must('openssl', args)
}
