import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject, JsonValue } from '#encoding/json'
import { documentsOf } from '#testing/policy/kyverno'
import { withGeneratedRules } from './autogen.js'

const CONTROLLERS = [
  'apps/v1/DaemonSet',
  'apps/v1/Deployment',
  'batch/v1/Job',
  'apps/v1/StatefulSet',
  'apps/v1/ReplicaSet',
  'v1/ReplicationController',
]

async function generated(rules: string, annotation?: string): Promise<readonly JsonObject[]> {
  const [document] = await documentsOf(`{rules: [${rules}]}`)
  const list = document!['rules'] as readonly JsonObject[]
  return withGeneratedRules(
    list.map((rule) => ({ rule, path: 'x' })),
    annotation,
  ).map(({ rule }) => rule)
}

const names = (rules: readonly JsonObject[]): readonly (JsonValue | undefined)[] => rules.map(({ name }) => name)
const POD = '{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, verifyImages: []}'

for (const [name, rules, annotation, expected] of [
  ['pods', POD, undefined, ['r', 'autogen-r', 'autogen-cronjob-r']],
  ['all', POD, 'all', ['r', 'autogen-r', 'autogen-cronjob-r']],
  ['none', POD, 'none', ['r']],
  ['an empty list', POD, '', ['r']],
  ['some', POD, 'Deployment, StatefulSet', ['r', 'autogen-r']],
  ['cron jobs', POD, 'CronJob', ['r', 'autogen-cronjob-r']],
  ['names that are none', POD, 'Deploiment', ['r']],
  [
    'a direct match',
    '{name: r, match: {resources: {kinds: [Pod]}}}',
    undefined,
    ['r', 'autogen-r', 'autogen-cronjob-r'],
  ],
  ['other kinds', '{name: r, match: {any: [{resources: {kinds: [Task]}}]}}', undefined, ['r']],
  ['a controller', '{name: r, match: {any: [{resources: {kinds: [Deployment]}}]}}', undefined, ['r']],
  ['pods and others', '{name: r, match: {any: [{resources: {kinds: [Pod, Deployment]}}]}}', undefined, ['r']],
  ['pods by name', '{name: r, match: {any: [{resources: {kinds: [Pod], names: [a]}}]}}', undefined, ['r']],
  [
    'pods by label',
    '{name: r, match: {any: [{resources: {kinds: [Pod], selector: {matchLabels: {a: b}}}}]}}',
    undefined,
    ['r'],
  ],
  [
    'pods by annotation',
    '{name: r, match: {any: [{resources: {kinds: [Pod], annotations: {a: b}}}]}}',
    undefined,
    ['r'],
  ],
  [
    'pods of namespaces',
    '{name: r, match: {any: [{resources: {kinds: [Pod], namespaces: [a]}}]}}',
    undefined,
    ['r', 'autogen-r', 'autogen-cronjob-r'],
  ],
  [
    'an exclusion by name',
    '{name: r, match: {any: [{resources: {kinds: [Pod]}}]}, exclude: {any: [{resources: {names: [a]}}]}}',
    undefined,
    ['r'],
  ],
  [
    'another rule that cannot',
    `${POD}, {name: q, match: {any: [{resources: {kinds: [Pod], names: [a]}}]}}`,
    undefined,
    ['r', 'q'],
  ],
  [
    'another rule that generates',
    `${POD}, {name: q, match: {any: [{resources: {kinds: [Namespace]}}]}, generate: {}}`,
    undefined,
    ['r', 'q'],
  ],
  [
    'a rule that has the name already',
    `${POD}, {name: autogen-r, match: {any: [{resources: {kinds: [Job]}}]}}`,
    undefined,
    ['r', 'autogen-r', 'autogen-cronjob-r'],
  ],
] as const) {
  test(name, async () => {
    assert.deepEqual(names(await generated(rules, annotation)), expected)
  })
}

test('kinds, and what is said of the pod', async () => {
  const rule = `{name: r, match: {any: [{resources: {kinds: [Pod]}}, {resources: {kinds: [Job], namespaces: [a]}}]},
    exclude: {any: [{resources: {kinds: [Pod], namespaces: [b]}}, {subjects: [{kind: User, name: c}]}]},
    preconditions: [{key: '{{ request.object.spec.hostNetwork }} {{request.oldObject.metadata.name}} {{ request.operation }}'}]}`
  const [, controllers, cronjobs] = await generated(rule)
  assert.deepEqual(controllers!['match'], {
    any: [{ resources: { kinds: CONTROLLERS } }, { resources: { kinds: ['Job'], namespaces: ['a'] } }],
  })
  assert.deepEqual(controllers!['exclude'], {
    any: [{ resources: { kinds: CONTROLLERS, namespaces: ['b'] } }, { subjects: [{ kind: 'User', name: 'c' }] }],
  })
  assert.deepEqual(controllers!['preconditions'], [
    {
      key: '{{ request.object.spec.template.spec.hostNetwork }} {{request.oldObject.spec.template.metadata.name}} {{ request.operation }}',
    },
  ])
  assert.deepEqual(cronjobs!['match'], {
    any: [
      { resources: { kinds: ['batch/v1/CronJob'] } },
      { resources: { kinds: ['batch/v1/CronJob'], namespaces: ['a'] } },
    ],
  })
  assert.deepEqual(cronjobs!['preconditions'], [
    {
      key: '{{ request.object.spec.jobTemplate.spec.template.spec.hostNetwork }} {{request.oldObject.spec.jobTemplate.spec.template.metadata.name}} {{ request.operation }}',
    },
  ])
})

test('names are cut where Kubernetes ends', async () => {
  const name = 'too-long-this-rule-name-will-be-truncated-to-63-characters'
  const rules = await generated(POD.replace('name: r', `name: ${name}`))
  assert.deepEqual(names(rules).slice(1), [
    'autogen-too-long-this-rule-name-will-be-truncated-to-63-charact',
    'autogen-cronjob-too-long-this-rule-name-will-be-truncated-to-63',
  ])
})
