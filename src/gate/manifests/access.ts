/** What the gate may do in its cluster: read what it judges by, tell what it found, and nothing else. @module */
import type { JsonObject } from '#encoding/json'
import { INSTALLATION } from '../installation.js'
import { DEFINITIONS } from './definitions.js'
import { LABELS, partOf } from './labels.js'
import type { ManifestOptions } from './options.js'

const RBAC = 'rbac.authorization.k8s.io'
const READ = ['get', 'list', 'watch'] as const
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

function clusterRules({ pullSecrets, certManager }: ManifestOptions): readonly JsonObject[] {
  return [
    ...policyRules(),
    // What runs, for the background scan, and what makes it.
    rule('', ['pods', 'replicationcontrollers'], READ),
    rule('apps', ['daemonsets', 'deployments', 'replicasets', 'statefulsets'], READ),
    rule('batch', ['cronjobs', 'jobs'], READ),
    // Labels, by which namespaces are selected.
    rule('', ['namespaces'], READ),
    // Values that Kyverno's policies look up, and whose roles they are about.
    rule('', ['configmaps'], READ),
    rule(RBAC, ['clusterrolebindings', 'rolebindings'], READ),
    // Logins for registries are those of the workload: of its service account, by name, never listed.
    rule('', pullSecrets ? ['secrets', 'serviceaccounts'] : ['serviceaccounts'], ['get']),
    rule('', ['events'], ['create', 'patch']),
    rule('events.k8s.io', ['events'], ['create', 'patch']),
    ...webhookRules(certManager),
  ]
}

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
          READ,
        ),
        rule(group, withStatus, ['patch', 'update']),
      ]
    }),
    rule(
      reports[0]?.group ?? '',
      reports.map(({ plural }) => plural),
      [...READ, 'create', 'delete', 'patch', 'update'],
    ),
  ]
}

/** The authority of its certificates, in its own webhooks alone. cert-manager writes it itself. */
function webhookRules(certManager: boolean): readonly JsonObject[] {
  if (certManager) return []
  const group = 'admissionregistration.k8s.io'
  return [
    {
      ...rule(group, ['mutatingwebhookconfigurations'], [...READ, 'patch']),
      resourceNames: [INSTALLATION.mutatingWebhooks],
    },
    {
      ...rule(group, ['validatingwebhookconfigurations'], [...READ, 'patch']),
      resourceNames: [INSTALLATION.validatingWebhooks],
    },
  ]
}

/** In its own namespace: keys and policies of ClusterImagePolicies, its certificates, and who does what only one should. */
function ownRules(): readonly JsonObject[] {
  return [
    rule('', ['configmaps', 'secrets'], READ),
    { ...rule('', ['secrets'], ['patch', 'update']), resourceNames: [INSTALLATION.certificates] },
    rule('coordination.k8s.io', ['leases'], ['create']),
    {
      ...rule('coordination.k8s.io', ['leases'], ['get', 'patch', 'update', 'watch']),
      resourceNames: [INSTALLATION.lease],
    },
  ]
}

function rule(group: string, resources: readonly string[], verbs: readonly string[]): JsonObject {
  return { apiGroups: [group], resources, verbs }
}
