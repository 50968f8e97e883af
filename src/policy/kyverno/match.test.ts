import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import type { JsonObject } from '#encoding/json'
import { fuzzRuns } from '#testing/fuzz'
import { documentsOf, ruleOf } from '#testing/policy/kyverno'
import type { Circumstances } from '../internal/cluster.js'
import { clusterOfDocuments } from '../internal/cluster-of-documents.js'
import type { Review } from '../internal/review.js'
import { parseKindSelector } from './kinds.js'

const KEY = `"-----BEGIN PUBLIC KEY-----\\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8nXRh950IZbRj8Ra/N9sbqOPZrfM\\n5/KAQN0/KjHcorm/J5yctVd7iEcnessRQjU917hmKO6JWVGHpDguIyakZA==\\n-----END PUBLIC KEY-----"`
const ENTRY = `imageReferences: ['*'], attestors: [{entries: [{keys: {publicKeys: ${KEY}}}]}]`

const POD: Review = {
  operation: 'CREATE',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  resource: { group: '', version: 'v1', resource: 'pods' },
  name: 'web-1',
  namespace: 'team-a',
  object: {
    metadata: {
      name: 'web-1',
      labels: { app: 'web', 'acme.io/tier': 'front' },
      annotations: { 'acme.io/owner': 'ann' },
    },
  },
  namespaceObject: { metadata: { labels: { stage: 'prod' } } },
  user: {
    username: 'system:serviceaccount:team-a:builder',
    groups: ['system:authenticated', 'team-a'],
    roles: [],
    clusterRoles: [],
  },
}
const { user: _, ...ANONYMOUS } = POD

const BINDINGS = `
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: a, namespace: team-a}, roleRef: {kind: Role, name: deployer}, subjects: [{kind: ServiceAccount, name: builder}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: b, namespace: team-b}, roleRef: {kind: ClusterRole, name: edit}, subjects: [{kind: Group, name: team-a}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: c, namespace: team-a}, roleRef: {kind: ClusterRole, name: view}, subjects: [{kind: Group, name: team-a}]}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: {name: d}, roleRef: {kind: ClusterRole, name: auditor}, subjects: [{kind: User, name: 'system:serviceaccount:team-a:builder'}]}`

async function circumstances(documents: readonly JsonObject[] = []): Promise<Circumstances> {
  const bindings = await documentsOf(BINDINGS)
  return {
    cluster: clusterOfDocuments([...bindings, ...documents]),
    clock: () => 0,
    signal: new AbortController().signal,
  }
}

async function matches(match: string, review: Review = POD, exclude?: string): Promise<boolean> {
  const more = exclude === undefined ? {} : { more: `exclude: {${exclude}}` }
  const { rules } = await ruleOf(ENTRY, { match, ...more })
  return await rules[0]!.matcher.matches(review, await circumstances())
}

const pods = (criteria: string, users = ''): string =>
  `any: [{resources: {kinds: [Pod]${criteria === '' ? '' : `, ${criteria}`}}${users}}]`

describe('kinds', () => {
  const ephemeral: Review = { ...POD, resource: { ...POD.resource, subresource: 'ephemeralcontainers' } }
  const status: Review = { ...POD, resource: { ...POD.resource, subresource: 'status' } }
  const deployment: Review = { ...POD, kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }
  for (const [kind, review, expected] of [
    ['Pod', POD, true],
    ['v1/Pod', POD, true],
    ['v2/Pod', POD, false],
    ['*/Pod', POD, true],
    ['P?d', POD, true],
    ['pod', POD, false],
    ['Pod', ephemeral, true],
    ['Pod/ephemeralcontainers', ephemeral, true],
    ['v1/Pod.ephemeralcontainers', ephemeral, true],
    ['Pod/ephemeralcontainers', POD, false],
    ['Pod', status, false],
    ['Pod/*', status, true],
    ['Pod.status', status, true],
    ['*/*', status, true],
    ['Deployment', deployment, true],
    ['apps/v1/Deployment', deployment, true],
    ['apps/*/Deployment', deployment, true],
    ['apps/v1beta1/Deployment', deployment, false],
    ['extensions/v1/Deployment', deployment, false],
    ['apps/v1/Deployment/scale', deployment, false],
  ] as const) {
    test(`${kind} ${expected ? 'is' : 'is not'} ${review.kind.kind}/${review.resource.subresource ?? ''}`, async () => {
      assert.equal(await matches(`any: [{resources: {kinds: ['${kind}']}}]`, review), expected)
    })
  }

  test('any text is a selector, none, or a coded error', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...Array.from('Pod*?/.v1 a')), maxLength: 40 }), (text) => {
        try {
          parseKindSelector(text)
        } catch (error) {
          if (!isCodedError(error)) throw error
        }
      }),
      { numRuns: fuzzRuns() },
    )
  })
})

describe('criteria', () => {
  for (const [match, expected] of [
    [pods('name: web-*'), true],
    [pods('name: api-*'), false],
    [pods('names: [api-*, web-?]'), true],
    [pods('namespaces: [team-*]'), true],
    [pods('namespaces: [prod]'), false],
    [pods("annotations: {'acme.io/*': 'a?n'}"), true],
    [pods("annotations: {'acme.io/owner': bob}"), false],
    [pods('selector: {matchLabels: {app: web}}'), true],
    [pods("selector: {matchLabels: {'acme.io/*': fr*}}"), true],
    [pods('selector: {matchLabels: {app: api}}'), false],
    [pods('selector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}'), false],
    [pods('namespaceSelector: {matchLabels: {stage: prod}}'), true],
    [pods('namespaceSelector: {matchLabels: {stage: test}}'), false],
    [pods('operations: [CREATE, UPDATE]'), true],
    [pods('operations: [UPDATE]'), false],
    [pods('name: web-*, namespaces: [prod]'), false],
    ['any: [{resources: {kinds: [Deployment]}}, {resources: {kinds: [Pod]}}]', true],
    ['all: [{resources: {kinds: [Pod]}}, {resources: {kinds: [Pod], namespaces: [team-a]}}]', true],
    ['all: [{resources: {kinds: [Pod]}}, {resources: {kinds: [Pod], namespaces: [other]}}]', false],
    ['resources: {kinds: [Pod], namespaces: [team-a]}', true],
    ['resources: {kinds: [Pod]}, clusterRoles: [auditor]', true],
    ['resources: {kinds: [Pod]}, clusterRoles: [cluster-admin]', false],
  ] as const) {
    test(`${expected ? 'about' : 'not about'} it: ${match}`, async () => {
      assert.equal(await matches(match), expected)
    })
  }
})

describe('users', () => {
  for (const [users, expected] of [
    ['subjects: [{kind: ServiceAccount, namespace: team-a, name: builder}]', true],
    ['subjects: [{kind: ServiceAccount, namespace: team-*, name: build*}]', true],
    ['subjects: [{kind: ServiceAccount, namespace: team-b, name: builder}]', false],
    ['subjects: [{kind: Group, name: team-?}]', true],
    ['subjects: [{kind: User, name: ann}, {kind: Group, name: team-a}]', true],
    ['subjects: [{kind: User, name: team-a}]', false],
    ["roles: ['team-a:deployer']", true],
    ["roles: ['team-b:deployer']", false],
    ['clusterRoles: [auditor]', true],
    ['clusterRoles: [view]', true],
    // Bound in another namespace.
    ['clusterRoles: [edit]', false],
    ["roles: ['team-a:deployer'], clusterRoles: [none]", false],
  ] as const) {
    test(`${users}: ${String(expected)}`, async () => {
      assert.equal(await matches(pods('', `, ${users}`)), expected)
      assert.equal(await matches(pods(''), POD, `any: [{${users}}]`), !expected, 'excluded')
    })
  }

  test('roles that whoever made the review knows are not asked for', async () => {
    const review = { ...POD, user: { ...POD.user!, clusterRoles: ['custom'] } }
    assert.equal(await matches(pods('', ', clusterRoles: [custom]'), review), true)
    assert.equal(await matches(pods('', ', clusterRoles: [auditor]'), review), false)
  })

  test('nobody known: a rule is about it, and nothing excludes it', async () => {
    assert.equal(await matches(pods('', ', subjects: [{kind: User, name: ann}]'), ANONYMOUS), true)
    assert.equal(await matches(pods(''), ANONYMOUS, 'any: [{subjects: [{kind: User, name: "*"}]}]'), true)
  })

  test('bindings that cannot be had are a refusal', async () => {
    const { rules } = await ruleOf(ENTRY, { match: pods('', ', clusterRoles: [a]') })
    const cluster = clusterOfDocuments([])
    const asking = { cluster, clock: () => 0, signal: new AbortController().signal }
    await assert.rejects(async () => rules[0]!.matcher.matches(POD, asking), { code: 'POLICY_CLUSTER' })
  })
})

describe('exclude', () => {
  for (const [exclude, expected] of [
    ['any: [{resources: {namespaces: [team-a]}}]', false],
    ['any: [{resources: {namespaces: [other]}}, {resources: {names: [web-*]}}]', false],
    ['any: [{resources: {namespaces: [other]}}]', true],
    ['all: [{resources: {namespaces: [team-a]}}, {resources: {names: [api]}}]', true],
    ['all: [{resources: {namespaces: [team-a]}}, {resources: {names: [web-1]}}]', false],
    ['resources: {namespaces: [team-a]}', false],
    ['any: [{}]', true],
    ['all: [{}, {resources: {names: [web-1]}}]', true],
    ['any: [{resources: {namespaces: [team-a], names: [other]}}]', true],
  ] as const) {
    test(`${expected ? 'stays' : 'left out'}: ${exclude}`, async () => {
      assert.equal(await matches(pods(''), POD, exclude), expected)
    })
  }
})

describe('namespaces by their labels', () => {
  const labelled = pods('namespaceSelector: {matchLabels: {stage: prod}}')
  const { namespaceObject: _object, ...unknown } = POD

  test('asked for where the review does not have them', async () => {
    const { rules } = await ruleOf(ENTRY, { match: labelled })
    const [namespace] = await documentsOf(
      '{apiVersion: v1, kind: Namespace, metadata: {name: team-a, labels: {stage: prod}}}',
    )
    assert.equal(await rules[0]!.matcher.matches(unknown, await circumstances([namespace!])), true)
    await assert.rejects(async () => rules[0]!.matcher.matches(unknown, await circumstances()), {
      code: 'POLICY_CLUSTER',
    })
  })

  test('of what is in none, and of namespaces themselves, there are none', async () => {
    const { namespace: __, ...nowhere } = unknown
    assert.equal(await matches(labelled, nowhere), false)
  })
})
