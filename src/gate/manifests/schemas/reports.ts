/** PolicyReport and ClusterPolicyReport (wgpolicyk8s.io). @module */
import { choice, flag, kind, labelSelector, list, object, record, text, whole, type Schema } from './schema.js'

const OBJECT_REFERENCE = object('An object.', {
  apiVersion: text('Its version.'),
  kind: text('Its kind.'),
  namespace: text('Its namespace.'),
  name: text('Its name.'),
  uid: text('Which of that name.'),
  resourceVersion: text('In which state.'),
  fieldPath: text('Which part of it.'),
})

const RESULT = object('What a policy says of an object.', {
  'policy!': text('The policy.'),
  rule: text('Its rule.'),
  result: choice('The result.', ['pass', 'fail', 'warn', 'error', 'skip']),
  message: text('Why.'),
  category: text('What kind of policy it is.'),
  severity: choice('How bad a failure is.', ['critical', 'high', 'low', 'medium', 'info']),
  scored: flag('Whether it counts.'),
  source: text('Who says so.'),
  properties: record('What else there is to say.'),
  resources: list('The objects, where the report is about several.', OBJECT_REFERENCE),
  resourceSelector: labelSelector('The objects, by labels.'),
  timestamp: object('When.', {
    'seconds!': whole('Seconds since 1970.', { format: 'int64' }),
    'nanos!': whole('And nanoseconds.', { format: 'int32' }),
  }),
})

export const POLICY_REPORT: Schema = kind('What policies say of what runs.', {
  scope: OBJECT_REFERENCE,
  scopeSelector: labelSelector('What the report is about, by labels.'),
  summary: object('How many of each.', {
    pass: whole('Passed.'),
    fail: whole('Failed.'),
    warn: whole('Failed with a warning.'),
    error: whole('Could not be judged.'),
    skip: whole('Not applied.'),
  }),
  results: list('One for each rule.', RESULT),
})
