/** What every policy of Kubernetes may name: the extension libraries, and what is said of a request. @module */
import { CelEnvironment } from './environment.js'
import { CALENDAR } from './library/calendar.js'
import { ENCODERS } from './library/encoders.js'
import { FORMATTING } from './library/formats.js'
import { LISTS } from './library/lists.js'
import { MATHEMATICS } from './library/mathematics.js'
import { NETWORK } from './library/network.js'
import { OPTIONALS } from './library/optionals.js'
import { PATTERNS } from './library/patterns.js'
import { QUANTITIES } from './library/quantities.js'
import { SETS } from './library/sets.js'
import { STANDARD } from './library/standard.js'
import { STRINGS } from './library/strings.js'
import { URLS } from './library/urls.js'
import { VERSIONS } from './library/versions.js'
import { BOOL, DYN, INT, listOf, mapOf, objectType, STRING, TIMESTAMP } from './types.js'
import type { CelType } from './types.js'

const NO_AUTHORIZER = 'what a user may do is not asked of the cluster'

/** Functions and no variables. */
export const KUBERNETES: CelEnvironment = new CelEnvironment()
  .withFunctions(
    ...STANDARD,
    CALENDAR,
    STRINGS,
    LISTS,
    SETS,
    OPTIONALS,
    ENCODERS,
    MATHEMATICS,
    PATTERNS,
    URLS,
    QUANTITIES,
    VERSIONS,
    NETWORK,
    FORMATTING,
  )
  .refusing({
    authorizer: NO_AUTHORIZER,
    'proto.getExt': 'there are no protocol buffers here',
    'proto.hasExt': 'there are no protocol buffers here',
  })

const texts = listOf(STRING)
const labels = mapOf(STRING, STRING)

const KIND = objectType('kubernetes.GroupVersionKind', { group: STRING, version: STRING, kind: STRING })
const RESOURCE = objectType('kubernetes.GroupVersionResource', { group: STRING, version: STRING, resource: STRING })
const USER = objectType('kubernetes.UserInfo', {
  username: STRING,
  uid: STRING,
  groups: texts,
  extra: mapOf(STRING, texts),
})

const REQUEST_FIELDS = {
  kind: KIND,
  resource: RESOURCE,
  subResource: STRING,
  requestKind: KIND,
  requestResource: RESOURCE,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER,
  dryRun: BOOL,
  options: DYN,
}

/** `request`, an admission request, as webhooks and Kubernetes' own policies see it: the objects are beside it. */
export const REQUEST: CelType = objectType('kubernetes.AdmissionRequest', REQUEST_FIELDS)

/** `request`, an admission request, with the objects in it: Kyverno's policies may look at them there as well. */
export const REQUEST_WITH_OBJECTS: CelType = objectType('kubernetes.AdmissionRequest', {
  ...REQUEST_FIELDS,
  object: DYN,
  oldObject: DYN,
})

const CONDITION = objectType('kubernetes.NamespaceCondition', {
  status: STRING,
  type: STRING,
  lastTransitionTime: TIMESTAMP,
  message: STRING,
  reason: STRING,
})

/** `namespaceObject`, the namespace of what is asked about. */
export const NAMESPACE: CelType = objectType('kubernetes.Namespace', {
  metadata: objectType('kubernetes.NamespaceMetadata', {
    name: STRING,
    generateName: STRING,
    namespace: STRING,
    labels,
    annotations: labels,
    UID: STRING,
    creationTimestamp: TIMESTAMP,
    deletionGracePeriodSeconds: INT,
    deletionTimestamp: TIMESTAMP,
    generation: INT,
    resourceVersion: STRING,
    finalizers: texts,
  }),
  spec: objectType('kubernetes.NamespaceSpec', { finalizers: texts }),
  status: objectType('kubernetes.NamespaceStatus', { conditions: listOf(CONDITION), phase: STRING }),
})
