/** The CustomResourceDefinitions of all kinds that the gate reads and writes, with schemas of our own. @module */
import type { JsonObject } from '#encoding/json'
import { CLUSTER_IMAGE_POLICY } from './schemas/cluster-image-policy.js'
import { EXPRESSION_EXCEPTION, GLOBAL_CONTEXT_ENTRY, RULE_EXCEPTION } from './schemas/exceptions.js'
import { IMAGE_VALIDATING_POLICY } from './schemas/image-validating-policy.js'
import { KYVERNO_POLICY } from './schemas/kyverno-policy.js'
import { POLICY_REPORT } from './schemas/reports.js'
import type { Schema } from './schemas/schema.js'
import { TRUST_ROOT } from './schemas/trust-root.js'

/** Whose kinds they are; a cluster that has one family from elsewhere keeps it. */
export type DefinitionFamily = 'sigstore' | 'kyverno' | 'reports'

/** A kind in its versions, which all have one schema: they are read by one parser. */
export interface KindDefinition {
  readonly family: DefinitionFamily
  readonly group: string
  readonly kind: string
  readonly plural: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  /** The first one is stored. */
  readonly versions: readonly string[]
  /** Versions that are served, with a warning. */
  readonly deprecated?: readonly string[]
  readonly schema: Schema
  readonly hasStatus: boolean
  readonly columns: readonly Column[]
}

interface Column {
  readonly name: string
  readonly jsonPath: string
  readonly type?: string
}

const AGE: Column = { name: 'Age', jsonPath: '.metadata.creationTimestamp', type: 'date' }
const READY: Column = { name: 'Ready', jsonPath: '.status.conditions[?(@.type=="Ready")].status' }
const REASON: Column = { name: 'Reason', jsonPath: '.status.conditions[?(@.type=="Ready")].reason' }
const ACTION: Column = { name: 'Action', jsonPath: '.spec.validationFailureAction' }

const KYVERNO = { family: 'kyverno', group: 'kyverno.io', categories: ['kyverno'] } as const
const KYVERNO_CEL = { family: 'kyverno', group: 'policies.kyverno.io', categories: ['kyverno'] } as const
const SIGSTORE = { family: 'sigstore', group: 'policy.sigstore.dev', categories: ['all', 'sigstore'] } as const

const REPORT = {
  family: 'reports',
  group: 'wgpolicyk8s.io',
  categories: [],
  versions: ['v1alpha2'],
  schema: POLICY_REPORT,
  hasStatus: false,
  columns: [
    { name: 'Kind', jsonPath: '.scope.kind' },
    { name: 'Name', jsonPath: '.scope.name' },
    ...['Pass', 'Fail', 'Warn', 'Error', 'Skip'].map((name) => ({
      name,
      jsonPath: `.summary.${name.toLowerCase()}`,
      type: 'integer',
    })),
    AGE,
  ],
} as const satisfies Partial<KindDefinition>

export const DEFINITIONS: readonly KindDefinition[] = [
  {
    ...SIGSTORE,
    kind: 'ClusterImagePolicy',
    plural: 'clusterimagepolicies',
    shortNames: ['cip'],
    namespaced: false,
    versions: ['v1beta1', 'v1alpha1'],
    schema: CLUSTER_IMAGE_POLICY,
    hasStatus: true,
    columns: [{ name: 'Mode', jsonPath: '.spec.mode' }, READY, REASON, AGE],
  },
  {
    ...SIGSTORE,
    kind: 'TrustRoot',
    plural: 'trustroots',
    shortNames: [],
    namespaced: false,
    versions: ['v1alpha1'],
    schema: TRUST_ROOT,
    hasStatus: true,
    columns: [READY, REASON, AGE],
  },
  {
    ...KYVERNO,
    kind: 'ClusterPolicy',
    plural: 'clusterpolicies',
    shortNames: ['cpol'],
    namespaced: false,
    versions: ['v1', 'v2beta1'],
    schema: KYVERNO_POLICY,
    hasStatus: true,
    columns: [ACTION, READY, REASON, AGE],
  },
  {
    ...KYVERNO,
    kind: 'Policy',
    plural: 'policies',
    shortNames: ['pol'],
    namespaced: true,
    versions: ['v1', 'v2beta1'],
    schema: KYVERNO_POLICY,
    hasStatus: true,
    columns: [ACTION, READY, REASON, AGE],
  },
  {
    ...KYVERNO,
    kind: 'PolicyException',
    plural: 'policyexceptions',
    shortNames: ['polex'],
    namespaced: true,
    versions: ['v2', 'v2beta1'],
    deprecated: ['v2beta1'],
    schema: RULE_EXCEPTION,
    hasStatus: false,
    columns: [AGE],
  },
  {
    ...KYVERNO,
    kind: 'GlobalContextEntry',
    plural: 'globalcontextentries',
    shortNames: ['gctxentry'],
    namespaced: false,
    versions: ['v2beta1', 'v2', 'v2alpha1'],
    deprecated: ['v2alpha1'],
    schema: GLOBAL_CONTEXT_ENTRY,
    hasStatus: true,
    columns: [{ name: 'Last refresh', jsonPath: '.status.lastRefreshTime', type: 'date' }, READY, AGE],
  },
  {
    ...KYVERNO_CEL,
    kind: 'ImageValidatingPolicy',
    plural: 'imagevalidatingpolicies',
    shortNames: ['ivpol'],
    namespaced: false,
    versions: ['v1beta1', 'v1', 'v1alpha1'],
    deprecated: ['v1alpha1'],
    schema: IMAGE_VALIDATING_POLICY,
    hasStatus: true,
    columns: [READY, REASON, AGE],
  },
  {
    ...KYVERNO_CEL,
    kind: 'NamespacedImageValidatingPolicy',
    plural: 'namespacedimagevalidatingpolicies',
    shortNames: ['nivpol'],
    namespaced: true,
    versions: ['v1beta1', 'v1'],
    schema: IMAGE_VALIDATING_POLICY,
    hasStatus: true,
    columns: [READY, REASON, AGE],
  },
  {
    ...KYVERNO_CEL,
    kind: 'PolicyException',
    plural: 'policyexceptions',
    shortNames: [],
    namespaced: true,
    versions: ['v1beta1', 'v1', 'v1alpha1'],
    deprecated: ['v1alpha1'],
    schema: EXPRESSION_EXCEPTION,
    hasStatus: false,
    columns: [AGE],
  },
  { ...REPORT, kind: 'PolicyReport', plural: 'policyreports', shortNames: ['polr'], namespaced: true },
  { ...REPORT, kind: 'ClusterPolicyReport', plural: 'clusterpolicyreports', shortNames: ['cpolr'], namespaced: false },
]

/** The object that teaches an API server a kind. */
export function customResourceDefinition(definition: KindDefinition, labels: JsonObject): JsonObject {
  const { group, kind, plural, shortNames, categories, namespaced, versions } = definition
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, labels },
    spec: {
      group,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular: kind.toLowerCase(),
        ...(shortNames.length > 0 && { shortNames }),
        ...(categories.length > 0 && { categories }),
      },
      scope: namespaced ? 'Namespaced' : 'Cluster',
      versions: versions.map((name, index) => version(definition, name, index === 0)),
    },
  }
}

function version(
  { schema, hasStatus, columns, deprecated = [] }: KindDefinition,
  name: string,
  storage: boolean,
): JsonObject {
  return {
    name,
    served: true,
    storage,
    ...(deprecated.includes(name) && { deprecated: true }),
    schema: { openAPIV3Schema: schema },
    ...(hasStatus && { subresources: { status: {} } }),
    additionalPrinterColumns: columns.map((column) => ({ type: 'string', ...column })),
  }
}
