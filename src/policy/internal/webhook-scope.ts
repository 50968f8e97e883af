/** What a policy asks of the API server: which requests to send, so that a webhook can be made for it alone. @module */

/** Rules of `MatchResources`, as webhooks have them. */
export interface ScopeRule {
  readonly apiGroups: readonly string[]
  readonly apiVersions: readonly string[]
  readonly resources: readonly string[]
  readonly operations: readonly string[]
  readonly scope: 'Cluster' | 'Namespaced' | '*'
  /** Names of single resources, which a webhook's rule cannot have: whoever makes one asks for all of them. */
  readonly resourceNames: readonly string[]
}

export interface ScopeSelector {
  readonly matchLabels: Readonly<Record<string, string>>
  readonly matchExpressions: readonly {
    readonly key: string
    readonly operator: string
    readonly values: readonly string[]
  }[]
}

/** Which requests are asked about, in the terms of a webhook configuration. */
export interface WebhookScope {
  readonly rules: readonly ScopeRule[]
  /** What is not asked about although the rules are about it. A webhook cannot say this; the policy does when it is asked. */
  readonly excluded: readonly ScopeRule[]
  readonly namespaceSelector: ScopeSelector | undefined
  readonly objectSelector: ScopeSelector | undefined
  readonly matchPolicy: 'Exact' | 'Equivalent'
  /** Written as expressions that an API server evaluates. */
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[]
}
