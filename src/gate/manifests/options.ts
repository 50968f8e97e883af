/** What an installation is to be. @module */
import type { PolicyFamily } from '#policy/front-ends'
import type { PinKinds } from '../admission/pinning.js'
import { DEFAULT_NAMESPACE } from '../installation.js'
import type { DefinitionFamily } from './definitions.js'

/** In which namespaces images are verified. */
export type Enforcement =
  /** As the originals have it: ClusterImagePolicies in labelled namespaces, Kyverno's policies in all. */
  | 'original'
  /** In namespaces labelled `policy.sigstore.dev/include=true`. */
  | 'opt-in'
  /** In all but those labelled `policy.sigstore.dev/exclude=true`. */
  | 'opt-out'

export const ENFORCEMENTS: readonly Enforcement[] = ['original', 'opt-in', 'opt-out']

export interface ManifestOptions {
  readonly namespace: string
  readonly image: string
  readonly replicas: number
  /** In which kinds tags are replaced by digests; with `none` there is no mutating webhook. */
  readonly pins: PinKinds
  readonly enforcement: Enforcement
  /** Whose policies are enforced: each family has webhooks of its own. */
  readonly families: readonly PolicyFamily[]
  /** Whose kinds are defined. */
  readonly definitions: readonly DefinitionFamily[]
  /** Besides kube-system and the installation's own. */
  readonly excludedNamespaces: readonly string[]
  /** Certificates by cert-manager instead of the gate's own. */
  readonly certManager: boolean
  readonly networkPolicy: boolean
  /** Whether the gate may read the pull secrets of workloads, in any namespace. */
  readonly pullSecrets: boolean
  /** How long the API server waits for a verdict. */
  readonly timeoutSeconds: number
  /** The text of a `trusted_root.json`, instead of the public instance's trust. */
  readonly trustedRoot: string | undefined
  /** Kinds besides those of Kubernetes: `Workflow.argoproj.io=image:spec.templates.*.container.image`. */
  readonly customKinds: readonly string[]
  /** Further arguments of the container. */
  readonly arguments: readonly string[]
}

/** What an installation is if nothing is said. */
export const DEFAULTS: Omit<ManifestOptions, 'image'> = {
  namespace: DEFAULT_NAMESPACE,
  replicas: 3,
  pins: 'pods',
  enforcement: 'original',
  families: ['sigstore', 'kyverno'],
  definitions: ['sigstore', 'kyverno', 'reports'],
  excludedNamespaces: [],
  certManager: false,
  networkPolicy: false,
  pullSecrets: true,
  timeoutSeconds: 15,
  trustedRoot: undefined,
  customKinds: [],
  arguments: [],
}
