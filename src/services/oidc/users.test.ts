import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { formatUsers, hashPassword, isEmail, listedUsers, parseUsers } from './users.js'

const random = (length: number): Uint8Array => new Uint8Array(length).fill(9)
const HASH = await hashPassword('pässword', random, { N: 1024, r: 8, p: 1 })

const file = (...users: readonly unknown[]): Uint8Array => encodeUtf8(JSON.stringify({ users }))

test('a file that was written is read again, and its people can sign in', async () => {
  const records = [{ email: 'a@example.com', password: HASH }]
  assert.deepEqual(parseUsers(encodeUtf8(formatUsers(records))), records)
  // The second spelling is the same text to a person, in another Unicode form.
  for (const password of ['pässword', 'pässword']) {
    assert.deepEqual(await listedUsers(records).authenticate('A@example.com', password), {
      subject: 'a@example.com',
      email: 'a@example.com',
    })
  }
})

const BAD_FILES: readonly (readonly [name: string, content: Uint8Array])[] = [
  ['nothing', new Uint8Array()],
  ['no JSON', encodeUtf8('users:')],
  ['a list', encodeUtf8('[]')],
  ['no users', encodeUtf8('{}')],
  ['a user that is no object', file(1)],
  ['no email', file({ password: HASH })],
  ['no password', file({ email: 'a@example.com' })],
  ['a name that is no address', file({ email: 'root', password: HASH })],
  [
    'the same person twice',
    file({ email: 'a@example.com', password: HASH }, { email: 'A@EXAMPLE.com', password: HASH }),
  ],
  ['a plain password', file({ email: 'a@example.com', password: 'secret' })],
  ['another kind of hash', file({ email: 'a@example.com', password: '$2b$12$abcdefghijklmnopqrstuv' })],
  ['a hash that costs too much', file({ email: 'a@example.com', password: HASH.replace('$1024$', '$4194304$') })],
  ['a cost that is no power of two', file({ email: 'a@example.com', password: HASH.replace('$1024$', '$1000$') })],
  ['a hash of no cost', file({ email: 'a@example.com', password: HASH.replace('$8$1$', '$8$0$') })],
  ['a cut hash', file({ email: 'a@example.com', password: HASH.slice(0, -4) })],
]
for (const [name, content] of BAD_FILES) {
  test(`a users file with ${name} is refused`, () => {
    assert.throws(() => parseUsers(content), { code: 'ISSUER_USERS_FILE' })
  })
}

test('any bytes are a users file or a coded error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array(),
        fc.json().map((text) => encodeUtf8(text)),
      ),
      (bytes) => {
        try {
          return Array.isArray(parseUsers(bytes))
        } catch (error) {
          return isCodedError(error)
        }
      },
    ),
  )
})

test('wrong, empty and endless passwords do not fit, and do not say why', async () => {
  const people = listedUsers([{ email: 'a@example.com', password: HASH }])
  for (const [email, password] of [
    ['a@example.com', 'x'],
    ['a@example.com', ''],
    ['', ''],
    ['b@example.com', 'pässword'],
    ['a@example.com', 'x'.repeat(5000)],
  ] as const) {
    await assert.rejects(people.authenticate(email, password), { code: 'ISSUER_CREDENTIALS' })
  }
})

test('addresses', () => {
  for (const good of ['a@b.co', 'first.last+tag@sub.example.com', "o'hara@example.org", 'x@xn--bcher-kva.example'])
    assert.ok(isEmail(good), good)
  for (const bad of [
    '',
    'a',
    '@b.co',
    'a@',
    'a@b',
    'a@b..co',
    'a..b@c.de',
    '.a@b.co',
    'a.@b.co',
    'a b@c.de',
    'a@b.co\n',
    '<a@b.co>',
    'a@-b.co',
    'ä@b.co',
    `${'a'.repeat(65)}@b.co`,
    `a@${'b'.repeat(250)}.co`,
    'a@b.1',
  ]) {
    assert.ok(!isEmail(bad), bad)
  }
})
