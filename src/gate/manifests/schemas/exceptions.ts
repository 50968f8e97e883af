/** What Kyverno's policies leave out or look up: the two kinds of PolicyException, GlobalContextEntry. @module */
import { API_CALL_FIELDS, CEL_CONDITIONS, conditionsSchema, matchSchema } from './kyverno-match.js'
import {
  anyObject,
  choice,
  flag,
  kind,
  list,
  object,
  record,
  status,
  text,
  texts,
  time,
  whole,
  type Schema,
} from './schema.js'

/** kyverno.io: excuses from rules of ClusterPolicies and Policies. */
export const RULE_EXCEPTION: Schema = kind('Requests that rules of policies are not applied to.', {
  'spec!': object('The exception.', {
    'match!': matchSchema('Which requests.'),
    'exceptions!': list(
      'From which rules.',
      object('Rules of a policy.', {
        'policyName!': text('The policy, as name or namespace/name.'),
        'ruleNames!': texts('Its rules, with wildcards.'),
      }),
    ),
    conditions: conditionsSchema('Where it holds.'),
    background: flag('Whether it holds for what already runs. Default: true.'),
    podSecurity: list('Not used: for rules about pod security.', anyObject('A control.')),
  }),
})

/** policies.kyverno.io: excuses from the policies in CEL. */
export const EXPRESSION_EXCEPTION: Schema = kind('Requests that policies are not applied to.', {
  'spec!': object('The exception.', {
    'policyRefs!': list(
      'From which policies.',
      object('A policy.', { 'name!': text('Its name.'), 'kind!': text('ImageValidatingPolicy, …') }),
    ),
    matchConditions: CEL_CONDITIONS,
    images: texts('Images that are excepted.'),
    allowedValues: texts('Values that expressions may use.'),
    reportResult: choice('What reports say.', ['skip', 'pass']),
    evaluationMode: text('How it is evaluated.'),
    expiresAt: time('When it ends.'),
    properties: record('What reports say beside the result.'),
  }),
})

export const GLOBAL_CONTEXT_ENTRY: Schema = kind('Data that policies look up, fetched once for all of them.', {
  'spec!': object('Where it comes from: exactly one of kubernetesResource and apiCall.', {
    kubernetesResource: object('Objects of the cluster, watched.', {
      group: text('Their group; empty for pods.'),
      'version!': text('Their version.'),
      'resource!': text('Their plural.'),
      namespace: text('Their namespace; all, if nothing is said.'),
    }),
    apiCall: object('An answer, asked for again and again.', {
      ...API_CALL_FIELDS,
      refreshInterval: text('How often, such as 10m, the default.'),
      retryLimit: whole('How often it is tried again. Default: 3.', { minimum: 1 }),
    }),
    projections: list(
      'Parts of it, each under a name.',
      object('A part.', { 'name!': text('Its name.'), 'jmesPath!': text('An expression that gives it.') }),
    ),
  }),
  status: status({ ready: flag('Whether it is there.'), lastRefreshTime: time('When it was last fetched.') }),
})
