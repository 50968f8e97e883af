/** What Kyverno's kinds share: which requests a rule is about, conditions, where values come from. @module */
import {
  anything,
  choice,
  described,
  flag,
  labelSelector,
  list,
  object,
  record,
  text,
  texts,
  type Schema,
} from './schema.js'

const RESOURCES = object('The objects.', {
  kinds: texts('Pod, v1/Pod, apps/v1/Deployment, Pod/ephemeralcontainers; * and ? are wildcards.'),
  name: text('Their name, with wildcards.'),
  names: texts('Their names, with wildcards; any of them.'),
  namespaces: texts('Their namespaces, with wildcards; any of them.'),
  annotations: record('Their annotations, with wildcards; all of them.'),
  selector: labelSelector('Their labels, with wildcards.'),
  namespaceSelector: labelSelector('The labels of their namespace, with wildcards.'),
  operations: list('What is done to them.', choice('An operation.', ['CREATE', 'CONNECT', 'UPDATE', 'DELETE'])),
})

const SUBJECT = object('Who asks.', {
  'kind!': text('User, Group or ServiceAccount.'),
  'name!': text('The name.'),
  namespace: text('Of a service account.'),
  apiGroup: text('rbac.authorization.k8s.io for users and groups.'),
})

const FILTER_FIELDS = {
  resources: RESOURCES,
  subjects: list('Who asks; any of them.', SUBJECT),
  roles: texts('Roles of who asks, as namespace:name; any of them.'),
  clusterRoles: texts('Cluster roles of who asks; any of them.'),
} as const

const FILTERS = list('Each says objects and who asks; both must fit.', object('Objects and who asks.', FILTER_FIELDS))

/** `match` and `exclude`. */
export function matchSchema(description: string): Schema {
  return object(description, {
    any: described(FILTERS, 'Any one of them suffices.'),
    all: described(FILTERS, 'All of them must fit.'),
    ...FILTER_FIELDS,
  })
}

/** Kyverno's comparisons. */
const OPERATORS = [
  ...['Equals', 'NotEquals', 'Equal', 'NotEqual', 'In', 'AnyIn', 'AllIn', 'NotIn', 'AnyNotIn', 'AllNotIn'],
  ...['GreaterThanOrEquals', 'GreaterThan', 'LessThanOrEquals', 'LessThan'],
  ...['DurationGreaterThanOrEquals', 'DurationGreaterThan', 'DurationLessThanOrEquals', 'DurationLessThan'],
]

const CONDITION = object('A comparison.', {
  key: anything('What is compared; variables are in {{ }}.'),
  operator: choice('How.', OPERATORS),
  value: anything('With what.'),
  message: text('What to say when it does not hold.'),
})

/** `any` and `all` of comparisons. */
export function conditionsSchema(description: string): Schema {
  return object(description, {
    any: list('Any one of them must hold.', CONDITION),
    all: list('All of them must hold.', CONDITION),
  })
}

export const CREDENTIALS: Schema = object('How to log in to the registry.', {
  allowInsecureRegistry: flag('Accept a registry without TLS, or with any certificate.'),
  providers: list(
    'Clouds whose logins are used.',
    choice('A cloud.', ['default', 'google', 'azure', 'amazon', 'github']),
  ),
  secrets: texts('Pull secrets, in the namespace of the gate, or as namespace/name.'),
})

const KEY_VALUE = object('A name and a value.', { 'key!': text('The name.'), 'value!': text('The value.') })

const SERVICE = object('A service instead of the API server.', {
  'url!': text('Its address.'),
  caBundle: text('Its authorities, in PEM.'),
  headers: list('Headers of the request.', KEY_VALUE),
})

export const API_CALL_FIELDS: Readonly<Record<string, Schema>> = {
  urlPath: text('An address below the API server.'),
  method: choice('GET, the default, or POST.', ['GET', 'POST']),
  data: list('What a POST sends.', object('A field.', { 'key!': text('Its name.'), 'value!': anything('Its value.') })),
  service: SERVICE,
}

const CONTEXT_ENTRY = object('A variable, and where its value comes from.', {
  'name!': text('Its name.'),
  configMap: object('From a ConfigMap.', {
    'name!': text('Its name.'),
    namespace: text('Its namespace.'),
  }),
  apiCall: object('From the API server, or from a service.', {
    ...API_CALL_FIELDS,
    jmesPath: text('What of the answer.'),
    default: anything('What it is when the request fails.'),
  }),
  imageRegistry: object('From an image.', {
    'reference!': text('The image.'),
    jmesPath: text('What of its data.'),
    imageRegistryCredentials: CREDENTIALS,
  }),
  variable: object('From an expression, or as it is.', {
    value: anything('The value.'),
    jmesPath: text('An expression.'),
    default: anything('What it is when the expression gives nothing.'),
  }),
  globalReference: object('From a GlobalContextEntry.', {
    'name!': text('The entry.'),
    jmesPath: text('What of it.'),
  }),
})

export const CONTEXT: Schema = list('Variables, each of which may use those before it.', CONTEXT_ENTRY)

/** Conditions in CEL. */
export const CEL_CONDITIONS: Schema = list(
  'All of them must be true.',
  object('A condition.', { 'name!': text('A name for messages.'), 'expression!': text('The condition, in CEL.') }),
)
