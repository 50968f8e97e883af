import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { parseIni } from './aws-ini.js'

const read = (text: string): Record<string, Record<string, string>> =>
  Object.fromEntries([...parseIni(text, 'file')].map(([name, section]) => [name, Object.fromEntries(section)]))

describe('what is refused', () => {
  for (const [name, text] of [
    ['a setting before any section', 'region = x\n[default]'],
    ['a section without an end', '[default'],
    ['a section without a name', '[]'],
    ['a section of spaces', '[  ]'],
    ['something behind a section', '[default] x'],
    ['a section in a section', '[[default]]'],
    ['a line that is no setting', '[default]\nregion'],
    ['a setting without a name', '[default]\n= x'],
    ['a line that goes on with nothing', '[default]\n  x'],
    ['a first line that goes on', '  region = x'],
    ['a section that is indented and has no end', '[default]\nregion = x\n  [profile other'],
    ['a setting that is indented and has no name', '[default]\nregion = x\n  = y'],
  ] as const) {
    test(name, () => {
      assert.throws(() => parseIni(text, 'file'), { code: 'CLOUD_SETTINGS' })
    })
  }

  test('with the line, and nothing of what it says', () => {
    const text = '[default]\naws_secret_access_key = secret-word\nanother-secret'
    assert.throws(
      () => parseIni(text, '/aws/credentials'),
      (error) => {
        assert.ok(isCodedError(error))
        assert.match(`${error.message} ${error.found ?? ''}`, /\/aws\/credentials.*line 3/)
        return !`${error.message}${error.expected ?? ''}${error.found ?? ''}${error.hint ?? ''}`.includes('secret')
      },
    )
  })
})

describe('what is read', () => {
  for (const [name, text, expected] of [
    ['nothing', '', {}],
    ['comments alone', '# a\n  ; b\n', {}],
    [
      'sections of all kinds',
      '[default]\n[profile a]\n[sso-session  b ]\n',
      { default: {}, 'profile a': {}, 'sso-session b': {} },
    ],
    ['a comment behind a section', '[default] # mine', { default: {} }],
    ['a name in quotes', '[profile "a b"]', { 'profile a b': {} }],
    ['names in any case', '[a]\nRegion=x', { a: { region: 'x' } }],
    ['an equals sign in a value', '[a]\nk = b==', { a: { k: 'b==' } }],
    ['a colon in a value', '[a]\nrole_arn = arn:aws:iam::1:role/x', { a: { role_arn: 'arn:aws:iam::1:role/x' } }],
    ['a colon for an equals sign', '[a]\nregion: x', { a: { region: 'x' } }],
    ['a comment behind a value', '[a]\nk = v # w ; x', { a: { k: 'v' } }],
    ['a sign of comments in a value', '[a]\nk = v#w;x', { a: { k: 'v#w;x' } }],
    ['a value in quotes', '[a]\nk = "v w"', { a: { k: 'v w' } }],
    ['a command with quotes', `[a]\nk = "/a b" 'c d'`, { a: { k: `"/a b" 'c d'` } }],
    ['an empty value', '[a]\nk =\nl =', { a: { k: '', l: '' } }],
    ['settings of a service', '[a]\ns3 =\n  max = 1\n  min = 2\nk = v', { a: { s3: '', k: 'v' } }],
    ['settings that are indented', '[a]\n  k = v\n\tl = w ; x', { a: { k: 'v', l: 'w' } }],
    ['a section that is indented', '[a]\nk = v\n  [b]\nk = w', { a: { k: 'v' }, b: { k: 'w' } }],
    ['nothing in quotes', '[a]\nk = ""', { a: { k: '' } }],
    ['a value of two lines', '[a]\nk = v\n  w', { a: { k: 'v\nw' } }],
    ['the last of two', '[a]\nk = v\nk = w', { a: { k: 'w' } }],
    ['a section that comes twice', '[a]\nk = v\n[b]\n[a]\nl = w', { a: { k: 'v', l: 'w' }, b: {} }],
    ['lines of Windows, and its mark', '\uFEFF[a]\r\nk = v\r\n', { a: { k: 'v' } }],
    ['names that objects have', '[__proto__]\nconstructor = v', { ['__proto__']: { constructor: 'v' } }],
  ] as const) {
    test(name, () => {
      assert.deepEqual(Object.entries(read(text)), Object.entries(expected))
    })
  }
})

/** Lines that are nearly right. */
const line = fc.oneof(
  fc.constantFrom(
    '',
    '[a]',
    '[profile b]',
    '[',
    ']',
    '# x',
    ' ; y',
    'k = v',
    'k: v',
    '  k = v',
    '=',
    '\t',
    '"',
    '[a] ;',
  ),
  fc.string({ maxLength: 12 }),
)

test('any text is sections, or a coded error', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(line).map((lines) => lines.join('\n')),
      ),
      (text) => {
        try {
          for (const [title, section] of parseIni(text, 'file')) {
            assert.ok(title !== '')
            for (const name of section.keys()) assert.equal(name, name.toLowerCase().trim())
          }
        } catch (error) {
          assert.ok(isCodedError(error) && error.code === 'CLOUD_SETTINGS', String(error))
        }
      },
    ),
    { numRuns: fuzzRuns() },
  )
})

const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/)
const value = fc.stringMatching(/^[A-Za-z0-9/+=:.-]{1,16}$/)

test('what is written is read', () => {
  const files = fc.dictionary(word, fc.dictionary(word, value, { noNullPrototype: true }), { noNullPrototype: true })
  fc.assert(
    fc.property(files, (file) => {
      const lines = Object.entries(file).flatMap(([name, settings]) => [
        `[${name}]`,
        ...Object.entries(settings).map(([key, each]) => `${key} = ${each}`),
      ])
      assert.deepEqual(Object.entries(read(lines.join('\n'))), Object.entries(file))
    }),
    { numRuns: fuzzRuns() },
  )
})
