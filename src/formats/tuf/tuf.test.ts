import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { canonicalize as peerCanonicalize } from '@tufjs/canonical-json'
import fc from 'fast-check'
import type { PrivateKey } from '#crypto/private-key'
import { generatePrivateKey } from '#crypto/private-key'
import type { JsonObject, JsonValue } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import {
  acceptInitialRoot,
  acceptNextRoot,
  acceptSnapshot,
  acceptTargets,
  acceptTimestamp,
  requireContent,
  requireFresh,
  requireSignatures,
  signersOf,
} from './accept.js'
import { canonicalTufJson } from './canonical-json.js'
import { isDelegated } from './delegation.js'
import { parseTufKey, tufKeyId, tufKeyToJson } from './keys.js'
import type { Delegation } from './model.js'
import { parseMetadata } from './parse.js'
import type { RoleKeySet } from './write.js'
import { rootJson, signMetadata, snapshotJson, targetsJson, timestampJson } from './write.js'

const EXPIRES = Date.UTC(2030, 0, 1)

let one: PrivateKey
let two: PrivateKey
let ed25519: PrivateKey

before(async () => {
  one = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  two = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  ed25519 = await generatePrivateKey('ed25519')
})

const header = (version = 1): { version: number; expires: number } => ({ version, expires: EXPIRES })

function rolesOf(keys: readonly PrivateKey[], threshold = 1): RoleKeySet {
  const role = { keys: keys.map((key) => key.publicKey), threshold }
  return { root: role, targets: role, snapshot: role, timestamp: role }
}

const makeRoot = (keys: readonly PrivateKey[], version = 1, threshold = 1): Promise<Uint8Array> =>
  signMetadata(rootJson(header(version), rolesOf(keys, threshold)), keys)

/** The file with its signed part changed; the signatures stay as they were. */
function change(bytes: Uint8Array, edit: (signed: Record<string, JsonValue>) => void): Uint8Array {
  const document = JSON.parse(decodeUtf8(bytes)) as { signatures: JsonValue; signed: Record<string, JsonValue> }
  edit(document.signed)
  return encodeUtf8(JSON.stringify(document))
}

test('canonical JSON is that of the peer', () => {
  assert.equal(
    decodeUtf8(canonicalTufJson({ b: [1, -2, true, null], a: 'q"\\\n\té/', '\u{1F600}': {}, '\uFF5E': 0 })),
    '{"a":"q\\"\\\\\n\té/","b":[1,-2,true,null],"\uFF5E":0,"\u{1F600}":{}}',
  )
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { depthSize: 'small' },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('any')),
      fc.dictionary(fc.stringMatching(/^[ -~]*$/), tie('any'), { noNullPrototype: true }),
    ),
  })).any
  fc.assert(
    fc.property(value, (each) => {
      assert.equal(decodeUtf8(canonicalTufJson(each as JsonValue)), peerCanonicalize(each as object))
    }),
    { numRuns: fuzzRuns() },
  )
})

test('numbers without canonical form are refused', () => {
  for (const value of [1.5, 2 ** 53, -(2 ** 60), 1e300])
    assert.throws(() => canonicalTufJson([value]), { code: 'TUF_CANONICAL' })
})

test('keys of every kind are read', async () => {
  for (const key of [one, ed25519]) {
    const statement = tufKeyToJson(key.publicKey)
    assert.deepEqual(parseTufKey(statement)?.key.spki, key.publicKey.spki)
    assert.match(tufKeyId(key.publicKey), /^[0-9a-f]{64}$/)
  }
  const rsa = await generatePrivateKey('rsa-sign-pss-2048-sha256')
  const pem = (tufKeyToJson(one.publicKey)['keyval'] as JsonObject)['public'] ?? assert.fail()
  const { publicKeyToPem } = await import('#crypto/public-key')
  assert.equal(
    parseTufKey({ keytype: 'rsa', scheme: 'rsassa-pss-sha256', keyval: { public: publicKeyToPem(rsa.publicKey) } })
      ?.algorithm.name,
    'rsa-sign-pss-2048-sha256',
  )
  assert.equal(
    parseTufKey({ keytype: 'ecdsa-sha2-nistp256', scheme: 'ecdsa-sha2-nistp256', keyval: { public: pem } })?.algorithm
      .name,
    'ecdsa-sha2-256-nistp256',
  )
  assert.throws(() => tufKeyToJson(rsa.publicKey), { code: 'TUF_ROLE' })
})

test('keys that are not supported, or do not fit, cannot sign', () => {
  const good = tufKeyToJson(one.publicKey)
  for (const statement of [
    null,
    1,
    [],
    {},
    { ...good, scheme: 'rot13' },
    { ...good, scheme: '__proto__' },
    { ...good, keytype: 'ed25519' },
    { ...good, scheme: 'ecdsa-sha2-nistp384' },
    { ...good, keyval: {} },
    { ...good, keyval: { public: 'x' } },
    { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'abc' } },
  ]) {
    assert.equal(parseTufKey(statement), undefined)
  }
})

test('a threshold counts keys, not signatures and not key ids', async () => {
  const bytes = await signMetadata(rootJson(header(), rolesOf([one, two], 2)), [one, two])
  await acceptInitialRoot(bytes)
  const document = JSON.parse(decodeUtf8(bytes)) as { signatures: { keyid: string; sig: string }[]; signed: JsonObject }
  const [first, second] = document.signatures
  assert.ok(first && second)
  const rejects = (signatures: readonly object[]): Promise<void> =>
    assert.rejects(acceptInitialRoot(encodeUtf8(JSON.stringify({ ...document, signatures }))), {
      code: 'TUF_SIGNATURES',
    })
  await rejects([])
  await rejects([first])
  await rejects([first, first])
  await rejects([first, { ...second, sig: first.sig }])
  await rejects([first, { ...second, sig: '' }])
  await rejects([first, { ...second, keyid: 'unknown' }])
  // The same key under two ids.
  const metadata = parseMetadata(await signMetadata(targetsJson(header(), new Map()), [one]), 'targets')
  const [signature] = metadata.signatures
  const known = parseTufKey(tufKeyToJson(one.publicKey))
  assert.ok(signature && known)
  const doubled = {
    ...metadata,
    signatures: [
      { ...signature, keyId: 'a' },
      { ...signature, keyId: 'b' },
    ],
  }
  await assert.rejects(
    requireSignatures(doubled, {
      keys: new Map([
        ['a', known],
        ['b', known],
      ]),
      keyIds: ['a', 'b'],
      threshold: 2,
    }),
    { code: 'TUF_SIGNATURES' },
  )
})

test('anything signed cannot be changed, unknown fields included', async () => {
  const bytes = await makeRoot([one])
  await assert.rejects(
    acceptInitialRoot(
      change(bytes, (signed) => {
        signed['version'] = 2
      }),
    ),
    { code: 'TUF_SIGNATURES' },
  )
  await assert.rejects(
    acceptInitialRoot(
      change(bytes, (signed) => {
        signed['x-unknown'] = 1
      }),
    ),
    { code: 'TUF_SIGNATURES' },
  )
  const extended = await signMetadata({ ...rootJson(header(), rolesOf([one])), 'x-unknown': [1, { b: 2, a: 1 }] }, [
    one,
  ])
  await acceptInitialRoot(extended)
})

test('roots follow each other one by one, signed by both', async () => {
  const first = await acceptInitialRoot(await makeRoot([one]))
  const handOver = await signMetadata(rootJson(header(2), rolesOf([two])), [one, two])
  const second = await acceptNextRoot(first, handOver)
  assert.equal(second.role.version, 2)
  await assert.rejects(acceptNextRoot(first, await makeRoot([two], 2)), { code: 'TUF_SIGNATURES' })
  await assert.rejects(acceptNextRoot(first, await signMetadata(rootJson(header(2), rolesOf([two])), [one])), {
    code: 'TUF_SIGNATURES',
  })
  await assert.rejects(acceptNextRoot(first, await makeRoot([one], 3)), { code: 'TUF_VERSION' })
  await assert.rejects(acceptNextRoot(first, await makeRoot([one], 1)), { code: 'TUF_VERSION' })
})

test('nothing goes back', async () => {
  const root = (await acceptInitialRoot(await makeRoot([one]))).role
  const targets = { version: 5, bytes: await signMetadata(targetsJson(header(5), new Map()), [one]) }
  const snapshotBytes = await signMetadata(snapshotJson(header(7), targets), [one])
  const snapshot = { version: 7, bytes: snapshotBytes }
  const bytes = await signMetadata(timestampJson(header(9), snapshot), [one])
  const timestamp = (await acceptTimestamp({ root, bytes })).role
  await acceptTimestamp({ root, bytes, previous: timestamp })
  await assert.rejects(acceptTimestamp({ root, bytes, previous: { ...timestamp, version: 10 } }), {
    code: 'TUF_VERSION',
  })
  await assert.rejects(
    acceptTimestamp({ root, bytes, previous: { ...timestamp, snapshot: { ...timestamp.snapshot, version: 8 } } }),
    { code: 'TUF_VERSION' },
  )
  const announced = timestamp.snapshot
  const accepted = await acceptSnapshot({ root, bytes: snapshotBytes, announced })
  const older = {
    ...accepted.role,
    meta: new Map([['targets.json', { version: 6, hashes: new Map<string, string>() }]]),
  }
  await assert.rejects(acceptSnapshot({ root, bytes: snapshotBytes, announced, previous: older }), {
    code: 'TUF_VERSION',
  })
  const gone = { ...accepted.role, meta: new Map([['other.json', { version: 1, hashes: new Map<string, string>() }]]) }
  await assert.rejects(acceptSnapshot({ root, bytes: snapshotBytes, announced, previous: gone }), {
    code: 'TUF_VERSION',
  })
  await assert.rejects(acceptSnapshot({ root, bytes: snapshotBytes, announced: { version: 8, hashes: new Map() } }), {
    code: 'TUF_VERSION',
  })
  const meta = accepted.role.meta.get('targets.json') ?? assert.fail()
  const signers = signersOf(root, 'targets')
  await acceptTargets({ bytes: targets.bytes, signers, announced: meta, name: 'targets.json' })
  await assert.rejects(
    acceptTargets({
      bytes: targets.bytes,
      signers,
      announced: { version: 4, hashes: new Map() },
      name: 'targets.json',
    }),
    { code: 'TUF_VERSION' },
  )
  await assert.rejects(
    acceptTargets({ bytes: change(targets.bytes, () => undefined), signers, announced: meta, name: 'targets.json' }),
    { code: 'TUF_LENGTH' },
  )
})

test('metadata of one role does not pass for that of another', async () => {
  const root = (await acceptInitialRoot(await makeRoot([one]))).role
  const targets = await signMetadata(targetsJson(header(), new Map()), [one])
  await assert.rejects(acceptTimestamp({ root, bytes: targets }), { code: 'TUF_ROLE' })
  await assert.rejects(acceptInitialRoot(targets), { code: 'TUF_ROLE' })
})

test('metadata ends at its expiry', async () => {
  const { role } = await acceptInitialRoot(await makeRoot([one]))
  requireFresh(role, EXPIRES - 1)
  assert.throws(
    () => {
      requireFresh(role, EXPIRES)
    },
    { code: 'TUF_EXPIRED' },
  )
})

test('content is checked by length and by every known hash', () => {
  const bytes = encodeUtf8('x')
  const sha256 = '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'
  const check = (length: number, hashes: Readonly<Record<string, string>>): void => {
    requireContent(bytes, { length, hashes: new Map(Object.entries(hashes)), custom: undefined }, 'x')
  }
  check(1, { sha256 })
  check(1, { sha256: sha256.toUpperCase(), 'blake2b-256': 'ignored' })
  assert.throws(
    () => {
      check(2, { sha256 })
    },
    { code: 'TUF_LENGTH' },
  )
  assert.throws(
    () => {
      check(1, { sha256: `0${sha256.slice(1)}` })
    },
    { code: 'TUF_HASH' },
  )
  assert.throws(
    () => {
      check(1, { sha256, sha512: sha256 })
    },
    { code: 'TUF_HASH' },
  )
  assert.throws(
    () => {
      check(1, { md5: '9dd4e461268c8034f5c8564e155c67a6' })
    },
    { code: 'TUF_HASH' },
  )
})

test('metadata of another form is refused', async () => {
  const root = await makeRoot([one])
  const edits: readonly ((signed: Record<string, JsonValue>) => void)[] = [
    (signed) => {
      signed['version'] = 0
    },
    (signed) => {
      signed['version'] = '1'
    },
    (signed) => {
      signed['expires'] = 'never'
    },
    (signed) => {
      delete signed['expires']
    },
    (signed) => {
      signed['spec_version'] = '2.0'
    },
    (signed) => {
      signed['keys'] = []
    },
    (signed) => {
      delete (signed['roles'] as Record<string, JsonValue>)['timestamp']
    },
    (signed) => {
      ;(signed['roles'] as Record<string, Record<string, JsonValue>>)['root'] = { keyids: [], threshold: 0 }
    },
    (signed) => {
      ;(signed['roles'] as Record<string, Record<string, JsonValue>>)['root'] = { keyids: 'x', threshold: 1 }
    },
  ]
  for (const edit of edits)
    assert.throws(() => parseMetadata(change(root, edit), 'root'), { code: 'TUF_MALFORMED' }, edit.toString())
  for (const source of ['', '[]', '{}', '{"signed":{}}', 'null'])
    assert.throws(() => parseMetadata(encodeUtf8(source), 'root'), { code: 'TUF_MALFORMED' })
  assert.throws(
    () =>
      parseMetadata(
        change(root, (signed) => {
          signed['x'] = 1.5
        }),
        'root',
      ),
    { code: 'TUF_CANONICAL' },
  )
  const targets = await signMetadata(targetsJson(header(), new Map([['a', { bytes: encodeUtf8('a') }]])), [one])
  const noHash = change(targets, (signed) => {
    signed['targets'] = { a: { length: 1, hashes: {} } }
  })
  assert.throws(() => parseMetadata(noHash, 'targets'), { code: 'TUF_MALFORMED' })
  const neither = change(targets, (signed) => {
    signed['delegations'] = { keys: {}, roles: [{ name: 'r', keyids: [], threshold: 1 }] }
  })
  assert.throws(() => parseMetadata(neither, 'targets'), { code: 'TUF_MALFORMED' })
})

test('delegations cover paths by pattern or by hash', () => {
  const role = (paths: readonly string[] | undefined, pathHashPrefixes?: readonly string[]): Delegation => ({
    name: 'r',
    keyIds: [],
    threshold: 1,
    terminating: false,
    paths,
    pathHashPrefixes,
  })
  assert.ok(isDelegated(role(['registry.npmjs.org/*']), 'registry.npmjs.org/keys.json'))
  assert.equal(isDelegated(role(['registry.npmjs.org/*']), 'registry.npmjs.org/a/b'), false)
  assert.ok(isDelegated(role(['a?c', '*']), 'abc'))
  assert.ok(isDelegated(role(['*.json']), 'x.json'))
  assert.equal(isDelegated(role(['*.json']), 'x.jsons'), false)
  assert.equal(isDelegated(role(['a?c']), 'ac'), false)
  assert.ok(isDelegated(role(undefined, ['2d7']), 'x'))
  assert.equal(isDelegated(role(undefined, ['2d8', 'ff']), 'x'), false)
  assert.equal(isDelegated(role([`${'*a'.repeat(30)}b`]), 'a'.repeat(200)), false)
})

test('any bytes, and any damage to metadata, give metadata or a code', async () => {
  const good = [
    await makeRoot([one]),
    await signMetadata(targetsJson(header(), new Map([['a', { bytes: encodeUtf8('a') }]])), [one]),
  ]
  const check = (bytes: Uint8Array): void => {
    for (const role of ['root', 'timestamp', 'snapshot', 'targets'] as const) {
      try {
        parseMetadata(bytes, role)
      } catch (error) {
        assert.ok(isCodedError(error) && error.code.startsWith('TUF_'), String(error))
      }
    }
  }
  fc.assert(fc.property(fc.uint8Array(), check), { numRuns: fuzzRuns() })
  fc.assert(
    fc.property(fc.constantFrom(...good), fc.nat(), fc.nat(255), (bytes, at, byte) => {
      check(bytes.with(at % bytes.length, byte))
    }),
    { numRuns: fuzzRuns() },
  )
  const names = [
    'keys',
    'roles',
    'meta',
    'targets',
    'delegations',
    'version',
    'expires',
    '_type',
    'consistent_snapshot',
  ]
  fc.assert(
    fc.property(fc.constantFrom(...good), fc.constantFrom(...names), fc.jsonValue(), (bytes, name, value) => {
      check(
        change(bytes, (signed) => {
          signed[name] = value as JsonValue
        }),
      )
    }),
    { numRuns: fuzzRuns() },
  )
})
