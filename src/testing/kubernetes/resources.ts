/** The resources that a fake cluster serves. @module */

export interface FakeResource {
  readonly apiVersion: string
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  /** Whether `status` is a subresource of its own, which writes to the object leave as it is. */
  readonly status: boolean
}

function row(apiVersion: string, resource: string, kind: string, ...traits: readonly string[]): FakeResource {
  const namespaced = !traits.includes('cluster')
  return { apiVersion, resource, kind, namespaced, status: traits.includes('status') }
}

/** Of Kubernetes itself, as far as this project deals with it. */
export const BUILT_IN: readonly FakeResource[] = [
  row('v1', 'namespaces', 'Namespace', 'cluster', 'status'),
  row('v1', 'nodes', 'Node', 'cluster', 'status'),
  row('v1', 'pods', 'Pod', 'status'),
  row('v1', 'secrets', 'Secret'),
  row('v1', 'configmaps', 'ConfigMap'),
  row('v1', 'serviceaccounts', 'ServiceAccount'),
  row('v1', 'services', 'Service', 'status'),
  row('v1', 'events', 'Event'),
  row('apps/v1', 'deployments', 'Deployment', 'status'),
  row('apps/v1', 'replicasets', 'ReplicaSet', 'status'),
  row('apps/v1', 'statefulsets', 'StatefulSet', 'status'),
  row('apps/v1', 'daemonsets', 'DaemonSet', 'status'),
  row('batch/v1', 'jobs', 'Job', 'status'),
  row('batch/v1', 'cronjobs', 'CronJob', 'status'),
  row('coordination.k8s.io/v1', 'leases', 'Lease'),
  row('events.k8s.io/v1', 'events', 'Event'),
  row(
    'admissionregistration.k8s.io/v1',
    'validatingwebhookconfigurations',
    'ValidatingWebhookConfiguration',
    'cluster',
  ),
  row('admissionregistration.k8s.io/v1', 'mutatingwebhookconfigurations', 'MutatingWebhookConfiguration', 'cluster'),
  row('apiextensions.k8s.io/v1', 'customresourcedefinitions', 'CustomResourceDefinition', 'cluster', 'status'),
]

/** Of policies and reports: not served unless a test defines them, as in a cluster without their definitions. */
export const POLICY_RESOURCES: readonly FakeResource[] = [
  row('policy.sigstore.dev/v1beta1', 'clusterimagepolicies', 'ClusterImagePolicy', 'cluster', 'status'),
  row('policy.sigstore.dev/v1alpha1', 'trustroots', 'TrustRoot', 'cluster', 'status'),
  row('kyverno.io/v1', 'clusterpolicies', 'ClusterPolicy', 'cluster', 'status'),
  row('kyverno.io/v1', 'policies', 'Policy', 'status'),
  row('kyverno.io/v2', 'policyexceptions', 'PolicyException'),
  row('kyverno.io/v2beta1', 'globalcontextentries', 'GlobalContextEntry', 'cluster', 'status'),
  row('policies.kyverno.io/v1', 'imagevalidatingpolicies', 'ImageValidatingPolicy', 'cluster', 'status'),
  row('policies.kyverno.io/v1', 'namespacedimagevalidatingpolicies', 'NamespacedImageValidatingPolicy', 'status'),
  row('policies.kyverno.io/v1', 'policyexceptions', 'PolicyException'),
  row('wgpolicyk8s.io/v1alpha2', 'policyreports', 'PolicyReport'),
  row('wgpolicyk8s.io/v1alpha2', 'clusterpolicyreports', 'ClusterPolicyReport', 'cluster'),
]
