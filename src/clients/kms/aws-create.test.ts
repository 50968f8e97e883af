import assert from 'node:assert/strict'
import { after, afterEach, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { isCodedError } from '#errors'
import { openKmsBench, refused } from '#testing/kms/kms-bench'

const ALIAS = 'awskms:///alias/team/cosign'
const rsa = await generatePrivateKey('rsa-sign-pkcs1-2048-sha256')
const p384 = await generatePrivateKey('ecdsa-sha2-384-nistp384')
const bench = await openKmsBench()
const { services, pemOf, createKey } = bench
after(() => services.close())
afterEach(() => {
  bench.reset()
})

describe('making a key at AWS', () => {
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
