/** Which certificate the webhooks show: one from files, one that the gate keeps in the cluster, or one that is made for a trial. @module */
import { systemTimers } from '#clients/http/timers'
import { wait } from '#clients/http/timers'
import type { KubernetesApi } from '#clients/kubernetes/api'
import { randomBytes } from '#crypto/random'
import { isCodedError } from '#errors'
import { CertificateFiles } from '#gate/certificates/certificate-files'
import { CertificateKeeper } from '#gate/certificates/certificate-keeper'
import { issueServingCertificate, type ServingCertificate } from '#gate/certificates/issue'
import { INSTALLATION } from '#gate/installation'
import type { TlsIdentity } from '#serving/serve'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { readTextFile } from '../read-input.js'

export interface TlsFlags {
  readonly 'tls-cert': string | undefined
  readonly 'tls-key': string | undefined
  readonly 'tls-ca-out': string | undefined
}

export interface ChosenCertificate {
  readonly identity: TlsIdentity
  /** Calls the function with whatever is to be shown from then on. */
  onRenewed(renew: (identity: TlsIdentity) => void): void
  close(): void
}

export interface CertificateOptions {
  readonly host: Host
  readonly flags: TlsFlags
  /** Undefined: there is no cluster to keep it in. */
  readonly cluster: { readonly api: KubernetesApi; readonly namespace: string } | undefined
  readonly onTrouble: (error: unknown) => void
}

/** @throws {@link UsageError} for half of a pair of files, or what reading them throws */
export async function chooseCertificate(options: CertificateOptions): Promise<ChosenCertificate> {
  const { flags, cluster } = options
  const { 'tls-cert': certificate, 'tls-key': key } = flags
  if (certificate !== undefined && key !== undefined) return await fromFiles(options, { certificate, key })
  if (certificate !== undefined || key !== undefined)
    throw new UsageError('USAGE_FLAG_MISSING', '--tls-cert and --tls-key belong together')
  return cluster === undefined ? await madeForTrial(options) : await keptIn(cluster, options)
}

async function fromFiles(
  { host, onTrouble }: CertificateOptions,
  paths: { readonly certificate: string; readonly key: string },
): Promise<ChosenCertificate> {
  let renew: (identity: TlsIdentity) => void = () => undefined
  const files = new CertificateFiles({
    ...paths,
    read: (path) => readTextFile(host, path),
    timers: systemTimers,
    onCertificate: (identity) => {
      renew(identity)
    },
    onTrouble,
  })
  const identity = await files.start()
  host.onReload(() => void files.look())
  return {
    identity,
    onRenewed: (listener) => (renew = listener),
    close: () => {
      files.close()
    },
  }
}

async function madeForTrial({ host, flags }: CertificateOptions): Promise<ChosenCertificate> {
  const names = [
    { kind: 'dns', value: 'localhost' } as const,
    { kind: 'ip', value: Uint8Array.of(127, 0, 0, 1) } as const,
  ]
  const made = await issueServingCertificate({ names, now: host.clock(), random: randomBytes })
  const out = flags['tls-ca-out']
  if (out !== undefined) await host.files.write(out, made.authority, { mode: 0o644 })
  return { identity: identityOf(made), onRenewed: () => undefined, close: () => undefined }
}

/** The API server may come up after the gate: it is waited for. */
const AGAIN = 2000

async function keptIn(
  { api, namespace }: NonNullable<CertificateOptions['cluster']>,
  { host, onTrouble }: CertificateOptions,
): Promise<ChosenCertificate> {
  let renew: (identity: TlsIdentity) => void = () => undefined
  const { service, certificates, validatingWebhooks, mutatingWebhooks } = INSTALLATION
  const keeper = new CertificateKeeper({
    api,
    target: { service, namespace, validating: validatingWebhooks, mutating: mutatingWebhooks },
    secret: certificates,
    clock: host.clock,
    timers: systemTimers,
    random: randomBytes,
    jitter: () => Math.random(),
    onCertificate: (certificate) => {
      renew(identityOf(certificate))
    },
    onTrouble,
  })
  for (;;) {
    try {
      const identity = identityOf(await keeper.start())
      return {
        identity,
        onRenewed: (listener) => (renew = listener),
        close: () => {
          keeper.close()
        },
      }
    } catch (error) {
      if (!isCodedError(error)) throw error
      onTrouble(error)
      await wait(systemTimers, AGAIN, host.interrupted)
    }
  }
}

function identityOf({ certificate, key }: ServingCertificate): TlsIdentity {
  return { certificates: certificate, key }
}
