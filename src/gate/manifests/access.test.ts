import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { accessManifests } from './access.js'
import { DEFAULTS } from './options.js'
import type { ManifestOptions } from './options.js'

interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly resourceNames?: readonly string[]
}

/** The rules of the gate's ClusterRole, or of its Role in its own namespace. */
function rulesOf(kind: 'ClusterRole' | 'Role', more: Partial<ManifestOptions> = {}): readonly Rule[] {
  const manifests = accessManifests({ ...DEFAULTS, image: 'ghcr.io/acme/gate', ...more })
  const roles = manifests.filter((manifest) => manifest['kind'] === kind && manifest['rules'] !== undefined)
  return roles.flatMap((role: JsonObject) => role['rules'] as unknown as readonly Rule[])
}

function verbsOf(rules: readonly Rule[], resource: string): readonly string[] {
  return rules.filter(({ resources }) => resources.includes(resource)).flatMap(({ verbs }) => verbs)
}

describe('what the gate may do in the cluster', () => {
  test('nothing is allowed by a star, and nothing leads into pods or to further rights', () => {
    for (const { apiGroups, resources, verbs } of [...rulesOf('ClusterRole'), ...rulesOf('Role')]) {
      for (const text of [...apiGroups, ...resources, ...verbs]) assert.doesNotMatch(text, /\*/)
      for (const resource of resources) assert.doesNotMatch(resource, /\/(?!status$)/)
      for (const verb of verbs) assert.doesNotMatch(verb, /^(?:bind|escalate|impersonate|deletecollection)$/)
    }
  })

  test('Secrets are asked for by name, and not at all where pull secrets are not to be read', () => {
    assert.deepEqual(verbsOf(rulesOf('ClusterRole'), 'secrets'), ['get'])
    assert.deepEqual(verbsOf(rulesOf('ClusterRole', { pullSecrets: false }), 'secrets'), [])
  })

  test('what Kyverno’s policies look up is not to be read where they are not enforced', () => {
    assert.deepEqual(verbsOf(rulesOf('ClusterRole'), 'configmaps'), ['get'])
    assert.deepEqual(verbsOf(rulesOf('ClusterRole'), 'rolebindings'), ['list'])
    for (const resource of ['configmaps', 'rolebindings', 'clusterrolebindings'])
      assert.deepEqual(verbsOf(rulesOf('ClusterRole', { families: ['sigstore'] }), resource), [], resource)
  })

  test('what runs is read, and never written', () => {
    for (const resource of ['pods', 'deployments', 'cronjobs', 'namespaces', 'serviceaccounts'])
      for (const verb of verbsOf(rulesOf('ClusterRole'), resource)) assert.match(verb, /^(?:get|list|watch)$/, resource)
  })

  test('webhooks are its own, and written only where it makes the certificates', () => {
    for (const certManager of [false, true]) {
      const rules = rulesOf('ClusterRole', { certManager }).filter(({ apiGroups }) =>
        apiGroups.includes('admissionregistration.k8s.io'),
      )
      assert.equal(rules.length, 2)
      for (const { verbs, resourceNames } of rules) {
        assert.equal(resourceNames?.length, 1)
        assert.deepEqual(verbs, certManager ? ['get'] : ['get', 'patch'])
      }
    }
  })

  test('in its own namespace, it writes its certificates and its lease', () => {
    const writing = rulesOf('Role').filter(({ verbs }) =>
      verbs.some((verb) => !/^(?:get|list|watch|create)$/.test(verb)),
    )
    assert.deepEqual(
      writing.map(({ resources, resourceNames }) => [resources, resourceNames?.length]),
      [
        [['secrets'], 1],
        [['leases'], 1],
      ],
    )
  })
})
