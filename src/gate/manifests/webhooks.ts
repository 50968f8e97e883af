/** What the API server asks the gate about, and what it does when the gate does not answer: refuse. @module */
import type { JsonObject } from '#encoding/json'
import { FRONT_END_RESOURCES } from '#policy/front-ends'
import type { PolicyFamily } from '#policy/front-ends'
import { PATHS, POLICY_PATH } from '../admission/routes.js'
import type { Phase } from '../admission/admission.js'
import { INSTALLATION } from '../installation.js'
import { LABELS } from './labels.js'
import type { Enforcement, ManifestOptions } from './options.js'

/** As the originals call theirs: the names stand in every denial, and scripts read them. */
const NAMES: Readonly<Record<Phase, Readonly<Record<PolicyFamily, string>>>> = {
  mutating: { sigstore: 'policy.sigstore.dev', kyverno: 'mutate.kyverno.svc-fail' },
  validating: { sigstore: 'policy.sigstore.dev', kyverno: 'validate.kyverno.svc-fail' },
}

export const INCLUDE_LABEL = 'policy.sigstore.dev/include'
export const EXCLUDE_LABEL = 'policy.sigstore.dev/exclude'

/** Everything of Kubernetes that names images. */
const RULES: readonly JsonObject[] = [
  rule('', ['v1'], ['pods', 'pods/ephemeralcontainers', 'podtemplates', 'replicationcontrollers']),
  rule('apps', ['v1'], ['daemonsets', 'deployments', 'replicasets', 'statefulsets']),
  rule('batch', ['v1'], ['cronjobs', 'jobs']),
]

export function webhookConfigurations(options: ManifestOptions): readonly JsonObject[] {
  const validating = configuration('validating', options)
  return options.pins === 'none' ? [validating] : [configuration('mutating', options), validating]
}

function configuration(phase: Phase, options: ManifestOptions): JsonObject {
  const { families, namespace, certManager } = options
  const name = phase === 'mutating' ? INSTALLATION.mutatingWebhooks : INSTALLATION.validatingWebhooks
  const annotations = { 'cert-manager.io/inject-ca-from': `${namespace}/${INSTALLATION.certificates}` }
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: phase === 'mutating' ? 'MutatingWebhookConfiguration' : 'ValidatingWebhookConfiguration',
    metadata: { name, labels: LABELS, ...(certManager && { annotations }) },
    webhooks: [
      ...families.map((family) => webhook(phase, family, options)),
      ...(phase === 'validating' ? [policyWebhook(options)] : []),
    ],
  }
}

/**
 * Policies that could not be used are refused when they are applied. One that slips through while the gate is away refuses what it
 * is about, so that being away need not keep anybody from repairing a policy.
 */
function policyWebhook({ families, namespace, timeoutSeconds }: ManifestOptions): JsonObject {
  const resources = FRONT_END_RESOURCES.filter(({ family }) => families.includes(family))
  const groups = [...new Set(resources.map(({ group }) => group))]
  return {
    name: 'policies.countersign.dev',
    admissionReviewVersions: ['v1'],
    clientConfig: { service: { namespace, name: INSTALLATION.service, path: POLICY_PATH, port: 443 } },
    failurePolicy: 'Ignore',
    matchPolicy: 'Equivalent',
    rules: groups.map((group) => ({
      ...rule(
        group,
        ['*'],
        resources.filter((each) => each.group === group).map(({ resource }) => resource),
      ),
      scope: '*',
    })),
    sideEffects: 'None',
    timeoutSeconds,
  }
}

function webhook(phase: Phase, family: PolicyFamily, options: ManifestOptions): JsonObject {
  const { namespace, timeoutSeconds, customKinds } = options
  return {
    name: NAMES[phase][family],
    admissionReviewVersions: ['v1'],
    // No caBundle: the gate, or cert-manager, writes it. Until then every request here is refused.
    clientConfig: { service: { namespace, name: INSTALLATION.service, path: `${PATHS[phase]}/${family}`, port: 443 } },
    failurePolicy: 'Fail',
    // Also what is asked for under another version of its group.
    matchPolicy: 'Equivalent',
    namespaceSelector: { matchExpressions: namespaceConditions(family, options) },
    // Labels of an object are its author's: none of them exempts it.
    objectSelector: {},
    rules: [...RULES, ...customRules(customKinds)],
    sideEffects: 'None',
    timeoutSeconds,
    // A webhook after this one may add a container; its image is to be pinned, too.
    ...(phase === 'mutating' && { reinvocationPolicy: 'IfNeeded' }),
  }
}

function namespaceConditions(
  family: PolicyFamily,
  { enforcement, namespace, excludedNamespaces }: ManifestOptions,
): readonly JsonObject[] {
  const excluded = [...new Set(['kube-system', namespace, ...excludedNamespaces])].sort()
  const effective: Enforcement = enforcement === 'original' && family === 'sigstore' ? 'opt-in' : enforcement
  return [
    // The control plane's own pods, and the gate's: with the gate down they must still start.
    { key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: excluded },
    ...(effective === 'opt-in' ? [{ key: INCLUDE_LABEL, operator: 'In', values: ['true'] }] : []),
    ...(effective === 'opt-out' ? [{ key: EXCLUDE_LABEL, operator: 'NotIn', values: ['true'] }] : []),
  ]
}

/** Plurals of foreign kinds are not known here; the gate lets pass what it does not know. */
function customRules(kinds: readonly string[]): readonly JsonObject[] {
  const groups = kinds.map((kind) => /^[^.=]+\.([^=]+)=/.exec(kind)?.[1]).filter((group) => group !== undefined)
  return [...new Set(groups)].sort().map((group) => rule(group, ['*'], ['*']))
}

function rule(group: string, apiVersions: readonly string[], resources: readonly string[]): JsonObject {
  return { apiGroups: [group], apiVersions, operations: ['CREATE', 'UPDATE'], resources, scope: 'Namespaced' }
}
