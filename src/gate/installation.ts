/** What the parts of an installation are called: by the manifests that make them, and by the gate that finds them again. @module */

/** Beside the namespace, nothing is configurable: an installation must find its own parts without being told. */
export const INSTALLATION = {
  /** The deployment, its service account, its roles. */
  name: 'countersign-admission',
  /** What the API server calls. */
  service: 'countersign-webhook',
  /** Key and certificate that the gate shows, and the authority that it makes them with. */
  certificates: 'countersign-webhook-certificates',
  mutatingWebhooks: 'countersign-mutating',
  validatingWebhooks: 'countersign-validating',
  /** Of the replica that does what only one should do. */
  lease: 'countersign-background',
  /** A ConfigMap with `trusted_root.json`, where the trust is not that of the public instance. */
  trustedRoot: 'countersign-trusted-root',
} as const

export const DEFAULT_NAMESPACE = 'countersign-system'

/** Ports of the container. */
export const PORTS = { webhooks: 8443, health: 8081 } as const

/** The host that the API server calls, which the certificate must be for. */
export function webhookHost(namespace: string): string {
  return `${INSTALLATION.service}.${namespace}.svc`
}
