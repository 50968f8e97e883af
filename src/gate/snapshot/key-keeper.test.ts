import assert from 'node:assert/strict'
import { beforeEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import type { PublicKey } from '#crypto/public-key'
import type { JsonObject } from '#encoding/json'
import { PolicyError } from '#policy/internal/policy-error'
import { KeyKeeper } from './key-keeper.js'
import type { KeptKey } from './policy-keys.js'

const NEAR: KeptKey = { kind: 'secret', namespace: undefined, name: 'key' }
const FAR: KeptKey = { kind: 'secret', namespace: 'team-a', name: 'key' }
const KMS: KeptKey = { kind: 'kms', uri: 'awskms:///alias/key' }
const { publicKey: KEY } = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const PEM = publicKeyToPem(KEY)

const secret = (entries: Readonly<Record<string, string>>): JsonObject => ({ kind: 'Secret', stringData: entries })

describe('keys that are kept elsewhere', () => {
  let secrets: Map<string, JsonObject>
  let away: boolean
  let asked: string[]
  let stale: string[]
  let changes: number
  let keys: KeyKeeper
  let service: { key: PublicKey | undefined; staleness: string | undefined }

  beforeEach(() => {
    secrets = new Map()
    away = false
    asked = []
    stale = []
    changes = 0
    service = { key: undefined, staleness: undefined }
    keys = new KeyKeeper({
      namespace: 'here',
      secrets: {
        secret: (namespace, name) => {
          asked.push(`${namespace}/${name}`)
          return away ? Promise.reject(new Error('away')) : Promise.resolve(secrets.get(`${namespace}/${name}`))
        },
      },
      services: {
        get: () =>
          service.key === undefined
            ? Promise.reject(new PolicyError('POLICY_KEY', 'the service has none'))
            : Promise.resolve({ key: service.key }),
        staleness: () => service.staleness,
      },
      onStale: (what) => stale.push(what),
    })
    keys.onChange(() => changes++)
  })

  const look = async (...sources: readonly KeptKey[]): Promise<readonly unknown[]> => {
    keys.follow(sources)
    await new Promise((resolve) => setImmediate(resolve))
    return sources.map((source) => keys.health(source)?.condition)
  }

  const MISSING: readonly (readonly [string, KeptKey, Readonly<Record<string, string>> | undefined])[] = [
    ['no Secret', NEAR, undefined],
    ['no entry', NEAR, {}],
    ['no key', NEAR, { 'cosign.pub': 'no key' }],
    ['several entries, and none of the name', NEAR, { one: PEM, two: PEM }],
    ['not the entry that is asked for', { ...NEAR, entry: 'other' }, { 'cosign.pub': PEM }],
    ['a key service', KMS, { 'cosign.pub': PEM }],
  ]
  for (const [name, source, entries] of MISSING) {
    test(`${name}: it cannot be had, and that is known`, async () => {
      if (entries !== undefined) secrets.set('here/key', secret(entries))
      assert.deepEqual(await look(source), ['missing'])
      assert.notEqual(keys.health(source)?.problem, '')
      assert.equal(keys.isTroubled, true)
      await assert.rejects(keys.get(source), { code: 'POLICY_KEY' })
    })
  }

  test('it is good once it is there, and told once', async () => {
    assert.deepEqual(await look(NEAR), ['missing'])
    secrets.set('here/key', secret({ 'cosign.pub': PEM }))
    assert.deepEqual(await look(NEAR), ['good'])
    assert.deepEqual(await look(NEAR), ['good'])
    assert.equal(keys.health(NEAR)?.problem, '')
    assert.deepEqual([changes, keys.revision, keys.isTroubled], [2, 2, false])
  })

  test('broken, or out of reach: the last good one stands in, and that is told', async () => {
    secrets.set('here/key', secret({ 'cosign.pub': PEM }))
    secrets.set('team-a/key', secret({ 'cosign.pub': PEM }))
    assert.deepEqual(await look(NEAR, FAR), ['good', 'good'])
    secrets.set('here/key', secret({ 'cosign.pub': 'no key' }))
    assert.deepEqual(await look(NEAR), ['last good'])
    assert.equal(publicKeyToPem((await keys.get(NEAR)).key), PEM)
    await look(NEAR, FAR)
    away = true
    await keys.get(FAR)
    assert.deepEqual([keys.health(FAR)?.condition, keys.health(FAR)?.problem], ['last good', 'away'])
    assert.deepEqual(new Set(stale), new Set(['here/key/', 'team-a/key/']))
  })

  test('of a key service it is told what the service gives, and no older key is held against it', async () => {
    assert.deepEqual(await look(KMS), ['missing'])
    service.key = KEY
    assert.deepEqual(await look(KMS), ['good'])
    service.staleness = 'the service is away'
    assert.equal((await keys.get(KMS)).key, KEY)
    assert.deepEqual(keys.health(KMS), { condition: 'last good', problem: 'the service is away' })
    service.key = undefined
    await assert.rejects(keys.get(KMS), { code: 'POLICY_KEY' })
    assert.equal(keys.health(KMS)?.condition, 'missing')
    assert.deepEqual(stale, [])
  })

  test('one that was taken away does not stand in', async () => {
    secrets.set('here/key', secret({ 'cosign.pub': PEM }))
    assert.deepEqual(await look(NEAR), ['good'])
    secrets.delete('here/key')
    assert.deepEqual(await look(NEAR), ['missing'])
    secrets.set('here/key', secret({ 'cosign.pub': 'no key' }))
    assert.deepEqual(await look(NEAR), ['missing'])
  })

  test('a key elsewhere is asked for until it is good, and what a review finds of it is told', async () => {
    assert.deepEqual(await look(FAR), ['missing'])
    secrets.set('team-a/key', secret({ 'cosign.pub': PEM }))
    assert.deepEqual(await look(FAR), ['good'])
    await look(FAR)
    assert.deepEqual(asked, ['team-a/key', 'team-a/key'])
    secrets.delete('team-a/key')
    await assert.rejects(keys.get(FAR), { code: 'POLICY_KEY' })
    assert.equal(keys.health(FAR)?.condition, 'missing')
  })

  test('names that only reviews come across are not kept: there is no end to them', async () => {
    await look(NEAR)
    const { revision } = keys
    for (let each = 0; each < 100; each++)
      await keys.get({ ...NEAR, name: `key-${String(each)}` }).catch(() => undefined)
    assert.equal(keys.health({ ...NEAR, name: 'key-1' }), undefined)
    assert.equal(keys.revision, revision)
  })

  test('what no policy names any longer is forgotten', async () => {
    await look(NEAR, KMS)
    assert.deepEqual(await look(), [])
    assert.deepEqual([keys.health(NEAR), keys.isTroubled], [undefined, false])
  })
})
