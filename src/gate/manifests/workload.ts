/** The gate as it runs: several replicas, as little privilege as there is, and never all of them away at once. @module */
import type { JsonObject } from '#encoding/json'
import { INSTALLATION, PORTS, webhookHost } from '../installation.js'
import { LABELS, SELECTOR, partOf } from './labels.js'
import type { ManifestOptions } from './options.js'

/** Of nobody, as distroless images have it. */
const USER = 65532
const CERTIFICATE_FOLDER = '/etc/countersign/certificates'
const TRUST_FOLDER = '/etc/countersign/trust'
/** Until everybody has heard that a replica goes, it goes on to answer. */
const SHUTDOWN_SECONDS = 10
const GRACE_SECONDS = 60

export function workloadManifests(options: ManifestOptions): readonly JsonObject[] {
  const { namespace, certManager, networkPolicy, trustedRoot } = options
  return [
    ...(certManager ? certManagerManifests(namespace) : [certificateSecret(namespace)]),
    ...(trustedRoot === undefined ? [] : [trustConfigMap(namespace, trustedRoot)]),
    service(namespace),
    deployment(options),
    disruptionBudget(namespace),
    ...(networkPolicy ? [networkPolicyFor(namespace)] : []),
  ]
}

/** Made empty, so that the gate needs no right to make secrets; it fills it. */
function certificateSecret(namespace: string): JsonObject {
  return { apiVersion: 'v1', kind: 'Secret', ...partOf(INSTALLATION.certificates, namespace), type: 'Opaque' }
}

function trustConfigMap(namespace: string, trustedRoot: string): JsonObject {
  const data = { 'trusted_root.json': trustedRoot }
  return { apiVersion: 'v1', kind: 'ConfigMap', ...partOf(INSTALLATION.trustedRoot, namespace), data }
}

function service(namespace: string): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    ...partOf(INSTALLATION.service, namespace),
    spec: {
      selector: SELECTOR,
      ports: [
        { name: 'webhooks', port: 443, protocol: 'TCP', targetPort: 'webhooks' },
        { name: 'metrics', port: PORTS.health, protocol: 'TCP', targetPort: 'health' },
      ],
    },
  }
}

function deployment(options: ManifestOptions): JsonObject {
  const { namespace, replicas } = options
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    ...partOf(INSTALLATION.name, namespace),
    spec: {
      replicas,
      selector: { matchLabels: SELECTOR },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      template: { metadata: { labels: LABELS }, spec: podSpec(options) },
    },
  }
}

function podSpec(options: ManifestOptions): JsonObject {
  const { certManager, trustedRoot } = options
  return {
    serviceAccountName: INSTALLATION.name,
    terminationGracePeriodSeconds: GRACE_SECONDS,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    topologySpreadConstraints: ['kubernetes.io/hostname', 'topology.kubernetes.io/zone'].map((topologyKey) => ({
      topologyKey,
      maxSkew: 1,
      whenUnsatisfiable: 'ScheduleAnyway',
      labelSelector: { matchLabels: SELECTOR },
    })),
    containers: [container(options)],
    volumes: [
      { name: 'cache', emptyDir: { sizeLimit: '256Mi' } },
      ...(certManager ? [{ name: 'certificates', secret: { secretName: INSTALLATION.certificates } }] : []),
      ...(trustedRoot === undefined ? [] : [{ name: 'trust', configMap: { name: INSTALLATION.trustedRoot } }]),
    ],
  }
}

function container(options: ManifestOptions): JsonObject {
  const { image, certManager, trustedRoot } = options
  const probe = (path: string): JsonObject => ({ httpGet: { path, port: 'health' } })
  return {
    name: 'admission',
    image,
    args: containerArguments(options),
    // The trust root that was last fetched, and nothing else, is written.
    env: [{ name: 'HOME', value: '/cache' }],
    ports: [
      { name: 'webhooks', containerPort: PORTS.webhooks, protocol: 'TCP' },
      { name: 'health', containerPort: PORTS.health, protocol: 'TCP' },
    ],
    startupProbe: { ...probe('/readyz'), periodSeconds: 1, failureThreshold: 120 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 2, failureThreshold: 2 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 10, failureThreshold: 6, timeoutSeconds: 5 },
    resources: { requests: { cpu: '100m', memory: '192Mi' }, limits: { memory: '512Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: 'cache', mountPath: '/cache' },
      ...(certManager ? [{ name: 'certificates', mountPath: CERTIFICATE_FOLDER, readOnly: true }] : []),
      ...(trustedRoot === undefined ? [] : [{ name: 'trust', mountPath: TRUST_FOLDER, readOnly: true }]),
    ],
  }
}

function containerArguments(options: ManifestOptions): readonly string[] {
  const { pins, certManager, trustedRoot, customKinds } = options
  return [
    'admission',
    '--host=0.0.0.0',
    `--port=${String(PORTS.webhooks)}`,
    `--health-port=${String(PORTS.health)}`,
    `--pin-digests=${pins}`,
    `--shutdown-delay=${String(SHUTDOWN_SECONDS)}s`,
    ...(certManager ? [`--tls-cert=${CERTIFICATE_FOLDER}/tls.crt`, `--tls-key=${CERTIFICATE_FOLDER}/tls.key`] : []),
    ...(trustedRoot === undefined ? [] : [`--trusted-root=${TRUST_FOLDER}/trusted_root.json`]),
    ...customKinds.map((kind) => `--custom-kind=${kind}`),
    ...options.arguments,
  ]
}

function disruptionBudget(namespace: string): JsonObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    ...partOf(INSTALLATION.name, namespace),
    spec: { maxUnavailable: 1, selector: { matchLabels: SELECTOR } },
  }
}

/** Who may come in. Where the API server comes from nobody can say, and where registries are neither. */
function networkPolicyFor(namespace: string): JsonObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    ...partOf(INSTALLATION.name, namespace),
    spec: {
      podSelector: { matchLabels: SELECTOR },
      policyTypes: ['Ingress'],
      ingress: [
        {
          ports: [
            { port: 'webhooks', protocol: 'TCP' },
            { port: 'health', protocol: 'TCP' },
          ],
        },
      ],
    },
  }
}

function certManagerManifests(namespace: string): readonly JsonObject[] {
  const authority = `${INSTALLATION.service}-authority`
  const selfSigned = `${INSTALLATION.service}-self-signed`
  const key = { algorithm: 'ECDSA', size: 256 }
  const issuer = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'Issuer',
    ...partOf(name, namespace),
    spec,
  })
  const certificate = (name: string, spec: JsonObject): JsonObject => ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    ...partOf(name, namespace),
    spec: { secretName: name, privateKey: key, ...spec },
  })
  return [
    issuer(selfSigned, { selfSigned: {} }),
    certificate(authority, {
      isCA: true,
      commonName: authority,
      duration: '87600h',
      issuerRef: { kind: 'Issuer', name: selfSigned },
    }),
    issuer(authority, { ca: { secretName: authority } }),
    certificate(INSTALLATION.certificates, {
      dnsNames: [webhookHost(namespace)],
      duration: '2160h',
      renewBefore: '720h',
      privateKey: { ...key, rotationPolicy: 'Always' },
      issuerRef: { kind: 'Issuer', name: authority },
    }),
  ]
}
