import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { AZURE, GOOGLE, GOOGLE_KEY, openKmsBench, refused, VAULT } from '#testing/kms/kms-bench'
import type { KmsPorts } from './kms-key.js'

const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const p384 = await generatePrivateKey('ecdsa-sha2-384-nistp384')
const bench = await openKmsBench()
const { services, put, fetchKey, pemOf, openSigner, createKey } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

const ALIAS = 'awskms:///alias/team/cosign'
const MAKEABLE = { AWS: ALIAS, GOOGLE, AZURE, VAULT }

/** What would make something: everything but reads, and questions that the services ask by POST. */
const creating = (request: Request): boolean =>
  request.method !== 'GET' && !/GetPublicKey|Sign$/.test(request.headers.get('x-amz-target') ?? '')

function failCreating(status: number): void {
  bench.answer((request) => (creating(request) ? new Response('{}', { status }) : undefined))
}

function watchCreating(): { readonly count: () => number } {
  let count = 0
  bench.answer((request) => {
    if (creating(request)) count++
    return undefined
  })
  return { count: () => count }
}

for (const [name, uri] of Object.entries(MAKEABLE)) {
  describe(`${name} makes no key`, () => {
    for (const [what, key] of [
      ['over one for encryption', { key: rsa, usage: 'encrypt' }],
      ['over one that is disabled', { key: rsa, disabled: true }],
    ] as const) {
      test(what, async () => {
        put(key)
        if (uri === VAULT && 'disabled' in key) return
        const watch = watchCreating()
        await refused(createKey(uri), 'KMS_KEY_USAGE')
        assert.equal(watch.count(), 0)
      })
    }

    for (const [status, code] of [
      [401, 'KMS_CREDENTIALS'],
      [403, 'KMS_DENIED'],
      [400, 'KMS_REFUSED'],
      [429, 'KMS_UNREACHABLE'],
      [503, 'KMS_UNREACHABLE'],
    ] as const) {
      test(`where reading has status ${String(status)}: whether there is one is not known`, async () => {
        let count = 0
        bench.answer((request) => {
          if (creating(request)) count++
          return new Response('{}', { status })
        })
        await refused(createKey(uri), code)
        assert.equal(count, 0)
      })

      test(`where making has status ${String(status)}`, async () => {
        services.keys.rings.add(GOOGLE_KEY.replace(/\/cryptoKeys.*/, ''))
        failCreating(status)
        await refused(createKey(uri), code)
        const { aws, google, azure, vault } = services.keys
        assert.deepEqual([aws.size, google.size, azure.size, vault.size], [0, 0, 0, 0])
      })
    }

    for (const body of ['', '<html>', '[]', 'null', '"x"', '{}', '{"KeyMetadata":{"Arn":"x"}}', '{"key":{}}']) {
      test(`of the answer ${JSON.stringify(body)}`, async () => {
        bench.answer((request) => (creating(request) ? new Response(body) : undefined))
        // Vault may answer with nothing, and at Google nothing of it is needed; then the key is not found there.
        const unread = uri === VAULT || (uri === GOOGLE && body.startsWith('{'))
        await refused(createKey(uri), unread ? 'KMS_NOT_FOUND' : 'KMS_RESPONSE')
      })
    }

    test('for an asker who gave up', async () => {
      const { createKmsKey } = await import('./kms.js')
      const ask = { algorithm: undefined, signal: AbortSignal.abort() }
      await assert.rejects(createKmsKey(services.ports(), uri, ask), { code: 'HTTP_ABORTED' })
    })
  })

  describe(`${name} makes`, () => {
    test('a key for P-256, which is found by its address, signs, and is left alone the next time', async () => {
      const { key, origin } = await createKey(uri)
      assert.deepEqual([origin, key.publicKey.keyType], ['created', 'ec-p256'])
      const pem = publicKeyToPem(key.publicKey)
      assert.equal(await pemOf(uri), pem)
      const signer = await openSigner(uri)
      const message = encodeUtf8('message')
      const signature = await signer.sign(message)
      assert.ok(await verifySignature({ key: key.publicKey, scheme: signer.algorithm, signature }, message))
      const watch = watchCreating()
      const again = await createKey(uri)
      assert.deepEqual([again.origin, publicKeyToPem(again.key.publicKey)], ['existing', pem])
      assert.equal(again.key.name, key.name)
      assert.equal(watch.count(), 0)
    })

    test('what was asked for', async () => {
      const { key } = await createKey(uri, 'ecdsa-sha2-384-nistp384')
      assert.equal(key.publicKey.keyType, 'ec-p384')
      assert.equal(await pemOf(uri), publicKeyToPem(key.publicKey))
    })

    test('RSA', async () => {
      const { key } = await createKey(uri, 'rsa-sign-pkcs1-3072-sha256')
      assert.equal(key.publicKey.keyBits, 3072)
    })

    test('nothing where there is a key for something else: it is told, or taken where nothing was said', async () => {
      put({ key: p384, algorithm: uri === GOOGLE ? 'EC_SIGN_P384_SHA384' : 'ecdsa-p384' })
      const watch = watchCreating()
      await refused(createKey(uri, 'ecdsa-sha2-256-nistp256'), 'KMS_KEY_TYPE')
      await refused(createKey(uri, 'rsa-sign-pkcs1-3072-sha256'), 'KMS_KEY_TYPE')
      assert.equal((await createKey(uri, 'ecdsa-sha2-384-nistp384')).origin, 'existing')
      const { key, origin } = await createKey(uri)
      assert.deepEqual([origin, publicKeyToPem(key.publicKey)], ['existing', publicKeyToPem(p384.publicKey)])
      assert.equal(watch.count(), 0)
    })
  })
}

describe('without asking anybody', () => {
  for (const [uri, found] of [
    ['awskms:///1234abcd-12ab-34cd-56ef-1234567890ab', '1234abcd-12ab-34cd-56ef-1234567890ab'],
    ['awskms:///mrk-1234abcd12ab34cd56ef1234567890ab', 'mrk-1234abcd12ab34cd56ef1234567890ab'],
    [
      'awskms:///arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
      'arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab',
    ],
    ['awskms:///alias/aws/s3', 'alias/aws/s3'],
    ['awskms:///arn:aws:kms:us-east-2:111122223333:alias/aws/s3', 'arn:aws:kms:us-east-2:111122223333:alias/aws/s3'],
    [`${GOOGLE}/versions/1`, 'version 1'],
    [`${GOOGLE}/cryptoKeyVersions/7`, 'version 7'],
    [`${AZURE}/123abc`, 'version 123abc'],
    ['azurekms://evil.example/cosign', 'evil.example'],
    ['awskms://alias/x', 'awskms://alias/x'],
    ['https://example.com', 'https://example.com'],
  ] as const) {
    test(`there is nothing to make at ${uri}`, async () => {
      await refused(createKey(uri), 'KMS_URI', found)
      assert.deepEqual(services.requests, [])
    })
  }

  for (const [uri, algorithm] of [
    [GOOGLE, 'ecdsa-sha2-512-nistp521'],
    [GOOGLE, 'ml-dsa-65'],
    [AZURE, 'ed25519'],
    [AZURE, 'rsa-sign-pss-3072-sha256'],
    [VAULT, 'ml-dsa-65'],
    [VAULT, 'ed25519-ph'],
    [ALIAS, 'ed25519-ph'],
    [ALIAS, 'ecdsa-sha2-256-nistp384'],
  ] as const) {
    test(`${uri.slice(0, 12)} is known not to make keys for ${algorithm}`, async () => {
      await refused(createKey(uri, algorithm), 'KMS_ALGORITHM', algorithm)
      assert.deepEqual(services.requests, [])
    })
  }
})

describe('AWS', () => {
  const targets = (): string[] => {
    const seen: string[] = []
    bench.answer((request) => {
      seen.push((request.headers.get('x-amz-target') ?? '').slice('TrentService.'.length))
      return undefined
    })
    return seen
  }
  const failing = (target: string, answer: () => Response): void => {
    bench.answer((request) => (request.headers.get('x-amz-target') === `TrentService.${target}` ? answer() : undefined))
  }
  const denied = (): Response => Response.json({ __type: 'AccessDeniedException' }, { status: 400 })
  const idOf = (): string => [...services.keys.aws.keys()].find((name) => !name.startsWith('alias/')) ?? ''

  test('the alias comes last, when the key is known to be there', async () => {
    const seen = targets()
    await createKey(ALIAS)
    assert.deepEqual(seen, ['GetPublicKey', 'CreateKey', 'GetPublicKey', 'CreateAlias'])
  })

  test('a key that cannot be given its alias is deleted', async () => {
    failing('CreateAlias', denied)
    await refused(createKey(ALIAS), 'KMS_DENIED')
    assert.deepEqual([...services.keys.scheduled], [idOf()])
  })

  test('a key that can neither be named nor deleted is told', async () => {
    bench.answer((request) =>
      /CreateAlias|ScheduleKeyDeletion/.test(request.headers.get('x-amz-target') ?? '') ? denied() : undefined,
    )
    await assert.rejects(createKey(ALIAS), (error) => {
      assert.ok(isCodedError(error) && error.code === 'KMS_UNFINISHED')
      assert.equal(error.found, `arn:aws:kms:eu-central-1:111122223333:key/${idOf()}`)
      return true
    })
  })

  test('an alias whose answer was lost is there all the same, and its key not deleted', async () => {
    failing('CreateAlias', () => {
      const id = idOf()
      const made = services.keys.aws.get(id)
      if (made !== undefined) services.keys.aws.set('alias/team/cosign', made)
      return new Response('', { status: 503 })
    })
    const { key, origin } = await createKey(ALIAS)
    assert.equal(origin, 'created')
    assert.equal(await pemOf(ALIAS), publicKeyToPem(key.publicKey))
    assert.equal(services.keys.scheduled.size, 0)
  })

  test('whoever was faster has the alias, and the other key is deleted', async () => {
    const theirs = { id: '00000000-12ab-34cd-56ef-1234567890ab', key: p384 }
    let mine = ''
    failing('CreateKey', () => {
      services.override = () => undefined
      services.keys.aws.set('alias/team/cosign', theirs).set(theirs.id, theirs)
      mine = '11111111-12ab-34cd-56ef-1234567890ab'
      services.keys.aws.set(mine, { id: mine, key: rsa })
      return Response.json({ KeyMetadata: { Arn: `arn:aws:kms:eu-central-1:111122223333:key/${mine}` } })
    })
    const { key, origin } = await createKey(ALIAS)
    assert.deepEqual([origin, publicKeyToPem(key.publicKey)], ['existing', publicKeyToPem(p384.publicKey)])
    assert.deepEqual([...services.keys.scheduled], [mine])
  })

  test('a key that is not to be seen at once is waited for, and not for ever', async () => {
    let looks = 0
    const missing = (): Response => Response.json({ __type: 'NotFoundException' }, { status: 400 })
    failing('GetPublicKey', () => {
      looks++
      if (looks === 3) services.override = () => undefined
      return missing()
    })
    assert.equal((await createKey(ALIAS)).origin, 'created')
    bench.reset()
    failing('GetPublicKey', missing)
    await refused(createKey(ALIAS), 'KMS_UNREACHABLE')
    assert.deepEqual([...services.keys.scheduled], [idOf()])
  })

  test('an ARN of an alias in the login’s own account, and in no other', async () => {
    const arn = (account: string): string => `awskms:///arn:aws:kms:eu-central-1:${account}:alias/team/cosign`
    await refused(createKey(arn('999999999999')), 'KMS_URI', '999999999999')
    assert.equal(services.keys.scheduled.size, 1)
    assert.ok(!services.keys.aws.has('alias/team/cosign'))
    assert.equal((await createKey(arn('111122223333'))).origin, 'created')
    assert.ok(services.keys.aws.has('alias/team/cosign'))
  })
})

describe('Google', () => {
  const [ring = ''] = GOOGLE_KEY.split('/cryptoKeys/')

  test('the key ring is made if it is missing', async () => {
    assert.equal((await createKey(GOOGLE)).origin, 'created')
    assert.deepEqual([...services.keys.rings], [ring])
  })

  test('a key ring that is there is left alone', async () => {
    services.keys.rings.add(ring)
    const before = services.requests.length
    await createKey(GOOGLE)
    assert.ok(services.requests.slice(before).every((line) => !line.endsWith('/keyRings')))
  })

  test('a key ring and a key that somebody else makes meanwhile do as well', async () => {
    bench.answer((request) => {
      const { pathname } = new URL(request.url)
      if (request.method === 'POST' && pathname.endsWith('/keyRings')) services.keys.rings.add(ring)
      if (request.method === 'POST' && pathname.endsWith('/cryptoKeys') && services.keys.rings.has(ring))
        services.keys.google.set(GOOGLE_KEY, [{ key: p384, algorithm: 'EC_SIGN_P384_SHA384' }])
      return undefined
    })
    const { key, origin } = await createKey(GOOGLE)
    assert.deepEqual([origin, publicKeyToPem(key.publicKey)], ['existing', publicKeyToPem(p384.publicKey)])
    bench.reset()
  })

  const inState = (state: unknown): void => {
    bench.answer((request) =>
      request.url.endsWith('/cryptoKeyVersions/1') ? Response.json({ state: state as string }) : undefined,
    )
  }
  for (const [state, code] of [
    ['GENERATION_FAILED', 'KMS_KEY_USAGE'],
    ['DESTROYED', 'KMS_KEY_USAGE'],
    ['PENDING_GENERATION', 'KMS_UNREACHABLE'],
    [7, 'KMS_RESPONSE'],
  ] as const) {
    test(`a first version in state ${String(state)}`, async () => {
      inState(state)
      await refused(createKey(GOOGLE), code)
    })
  }

  test('a key for RSA-PSS is not one for PKCS #1', async () => {
    put({ key: rsa, algorithm: 'RSA_SIGN_PSS_2048_SHA256' })
    await refused(createKey(GOOGLE, 'rsa-sign-pkcs1-2048-sha256'), 'KMS_KEY_TYPE', 'rsa-sign-pss-2048-sha256')
    assert.equal((await createKey(GOOGLE, 'rsa-sign-pss-2048-sha256')).origin, 'existing')
  })
})

describe('Azure', () => {
  test('a managed HSM keeps keys of its own kind', async () => {
    const uri = 'azurekms://team.managedhsm.azure.net/cosign'
    assert.equal((await createKey(uri)).origin, 'created')
    assert.equal(services.keys.azure.get('cosign')?.length, 1)
  })

  test('a name that a deleted key still has', async () => {
    bench.answer((request) =>
      request.method === 'POST' ? Response.json({ error: { code: 'Conflict' } }, { status: 409 }) : undefined,
    )
    await refused(createKey(AZURE), 'KMS_EXISTS')
  })

  test('a request that may have made a version is not sent twice, nor one that makes a key of AWS', async () => {
    const sent: (boolean | undefined)[] = []
    const fetch: KmsPorts['fetch'] = async (address, init) => {
      const target = init?.headers?.['x-amz-target'] ?? ''
      if (/\/create\?/.test(address) || /Create/.test(target)) sent.push(init?.repeatable)
      return await services.fetch(address, init)
    }
    await createKey(AZURE, undefined, { fetch })
    await createKey(ALIAS, undefined, { fetch })
    assert.deepEqual(sent, [false, false, false])
  })
})

describe('Vault', () => {
  test('an engine that is not there', async () => {
    const env = {
      VAULT_ADDR: 'http://vault.test',
      VAULT_TOKEN: 'vault-secret-word',
      TRANSIT_SECRET_ENGINE_PATH: 'other',
    }
    await refused(createKey(VAULT, undefined, { env }), 'KMS_NOT_FOUND')
  })

  test('older ones say nothing when they have made a key', async () => {
    bench.answer((request) => {
      if (request.method !== 'POST') return undefined
      services.keys.vault.set('cosign', [{ key: p384, algorithm: 'ecdsa-p384' }])
      return new Response(null, { status: 204 })
    })
    const { key, origin } = await createKey(VAULT)
    assert.deepEqual([origin, key.publicKey.keyType], ['created', 'ec-p384'])
  })

  test('Ed25519 there, at Google and at AWS', async () => {
    for (const uri of [VAULT, GOOGLE, ALIAS]) {
      const { key } = await createKey(uri, 'ed25519')
      assert.equal(key.publicKey.keyType, 'ed25519')
      assert.equal((await fetchKey(uri)).publicKey.keyType, 'ed25519')
    }
  })
})
