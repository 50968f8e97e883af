/** What the gate may do in its cluster: read what it judges by, tell what it found, and nothing else. @module */
import type { JsonObject } from '#encoding/json'
import { INSTALLATION } from '../installation.js'
import { DEFINITIONS } from './definitions.js'
import { LABELS, partOf } from './labels.js'
import type { ManifestOptions } from './options.js'

const RBAC = 'rbac.authorization.k8s.io'
const WATCH = ['get', 'list', 'watch'] as const
const LOOK = ['get', 'list'] as const
/** Roles with this label are the gate's, too: what policies look up beyond what they always may. */
const AGGREGATE_LABEL = 'rbac.countersign.dev/aggregate-to-admission'
const MORE = `${INSTALLATION.name}-more`

export function accessManifests(options: ManifestOptions): readonly JsonObject[] {
  const { namespace } = options
  return [
    { apiVersion: 'v1', kind: 'ServiceAccount', ...partOf(INSTALLATION.name, namespace) },
    { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', ...partOf(INSTALLATION.name), rules: clusterRules(options) },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'ClusterRole',
      ...partOf(MORE),
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [AGGREGATE_LABEL]: 'true' } }] },
    },
    clusterBinding(INSTALLATION.name, namespace),
    clusterBinding(MORE, namespace),
    { apiVersion: `${RBAC}/v1`, kind: 'Role', ...partOf(INSTALLATION.name, namespace), rules: ownRules() },
    {
      apiVersion: `${RBAC}/v1`,
      kind: 'RoleBinding',
      ...partOf(INSTALLATION.name, namespace),
      roleRef: { apiGroup: RBAC, kind: 'Role', name: INSTALLATION.name },
      subjects: [{ kind: 'ServiceAccount', name: INSTALLATION.name, namespace }],
    },
  ]
}

function clusterBinding(role: string, namespace: string): JsonObject {
  return {
    apiVersion: `${RBAC}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name: role, labels: LABELS },
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: role },
    subjects: [{ kind: 'ServiceAccount', name: INSTALLATION.name, namespace }],
  }
}

function clusterRules({ pullSecrets, certManager, families }: ManifestOptions): readonly JsonObject[] {
  return [
    ...policyRules(),
    // What runs, for the background scan, and what makes it.
    rule('', ['pods', 'replicationcontrollers'], LOOK),
    rule('apps', ['daemonsets', 'deployments', 'replicasets', 'statefulsets'], LOOK),
    rule('batch', ['cronjobs', 'jobs'], LOOK),
    // Labels, by which namespaces are selected.
    rule('', ['namespaces'], WATCH),
    ...(families.includes('kyverno') ? KYVERNO_RULES : []),
    // Logins for registries are those of the workload: of its service account, by name, never listed.
    rule('', pullSecrets ? ['secrets', 'serviceaccounts'] : ['serviceaccounts'], ['get']),
    rule('', ['events'], ['create']),
    ...webhookRules(certManager),
  ]
}

/** Values that Kyverno's policies look up by name, and whose roles they are about. */
const KYVERNO_RULES: readonly JsonObject[] = [
  rule('', ['configmaps'], ['get']),
  rule(RBAC, ['clusterrolebindings', 'rolebindings'], ['list']),
]

/** Policies are read, their status is written; reports are written. */
function policyRules(): readonly JsonObject[] {
  const policies = DEFINITIONS.filter(({ family }) => family !== 'reports')
  const groups = [...new Set(policies.map(({ group }) => group))]
  const reports = DEFINITIONS.filter(({ family }) => family === 'reports')
  return [
    ...groups.flatMap((group) => {
      const kinds = policies.filter((each) => each.group === group)
      const withStatus = kinds.filter(({ hasStatus }) => hasStatus).map(({ plural }) => `${plural}/status`)
      return [
        rule(
          group,
          kinds.map(({ plural }) => plural),
          WATCH,
        ),
        rule(group, withStatus, ['patch']),
      ]
    }),
    rule(
      reports[0]?.group ?? '',
      reports.map(({ plural }) => plural),
      ['create', 'delete', 'get', 'patch'],
    ),
  ]
}

/**
 * Its own webhooks alone: what the background scan is about is read there, and the authority of its certificates is written, unless
 * cert-manager does that.
 */
function webhookRules(certManager: boolean): readonly JsonObject[] {
  const group = 'admissionregistration.k8s.io'
  const verbs = certManager ? ['get'] : ['get', 'patch']
  return [
    {
      ...rule(group, ['mutatingwebhookconfigurations'], verbs),
      resourceNames: [INSTALLATION.mutatingWebhooks],
    },
    {
      ...rule(group, ['validatingwebhookconfigurations'], verbs),
      resourceNames: [INSTALLATION.validatingWebhooks],
    },
  ]
}

/** In its own namespace: keys and policies of ClusterImagePolicies, its certificates, and who does what only one should. */
function ownRules(): readonly JsonObject[] {
  return [
    rule('', ['configmaps', 'secrets'], WATCH),
    { ...rule('', ['secrets'], ['update']), resourceNames: [INSTALLATION.certificates] },
    rule('coordination.k8s.io', ['leases'], ['create']),
    {
      ...rule('coordination.k8s.io', ['leases'], ['get', 'patch', 'update']),
      resourceNames: [INSTALLATION.lease],
    },
  ]
}

function rule(group: string, resources: readonly string[], verbs: readonly string[]): JsonObject {
  return { apiGroups: [group], resources, verbs }
}
