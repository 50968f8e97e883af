/**
 * Orders of versions against OSV-SCALIBR: its own vectors, which come from the package managers themselves, and generated pairs.
 * What has no order here is allowed; another order is not, but for what Composer itself does otherwise.
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ECOSYSTEMS } from '#formats/osv/ecosystem'
import { fuzzRuns } from '#testing/fuzz'
import { askOracle, oracleNamed } from './oracle.js'

const SOURCES = join(import.meta.dirname, '..', '..', '..', 'test', 'oracles', 'packages')
const MODULE = 'github.com/google/osv-scalibr'

/** Names of the vectors' files → ecosystem. */
const FILES: ReadonlyMap<string, string> = new Map([
  ['alpine', 'Alpine'],
  ['cran', 'CRAN'],
  ['debian', 'Debian'],
  ['hackage', 'Hackage'],
  ['maven', 'Maven'],
  ['nuget', 'NuGet'],
  ['packagist', 'Packagist'],
  ['pub', 'Pub'],
  ['pypi', 'PyPI'],
  ['redhat', 'Red Hat'],
  ['rubygems', 'RubyGems'],
  ['semver', 'npm'],
])

function vectorFolder(): string | undefined {
  const { status, stdout } = spawnSync('go', ['list', '-m', '-f', '{{.Dir}}', MODULE], {
    cwd: SOURCES,
    encoding: 'utf8',
  })
  return status === 0 && stdout.trim() !== '' ? join(stdout.trim(), 'semantic', 'testdata') : undefined
}

function order(ecosystem: string, a: string, b: string): number | undefined {
  const result = ECOSYSTEMS.get(ecosystem)?.compare?.(a, b)
  return result === undefined ? undefined : Math.sign(result)
}

/**
 * Where OSV-SCALIBR goes another way than the package manager. PHP's version_compare puts 1.0 before 1.0.0, and reads capitals and
 * `stable` as words of their own, where Composer fills up with zeros and knows them. apk takes 1.0 and 1-r0 for later than 1.
 */
function isTheirs(ecosystem: string, a: string, b: string): boolean {
  const count = (text: string): number => (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? '').split('.').length
  if (ecosystem === 'Packagist') return count(a) !== count(b) || /[A-Z]|stable/.test(a + b)
  return ecosystem === 'Alpine' && (count(a) !== count(b) || a.includes('-r') !== b.includes('-r'))
}

const folder = vectorFolder()
describe('vectors', { skip: folder === undefined ? `no Go, or no ${MODULE}` : false }, () => {
  for (const file of folder === undefined ? [] : readdirSync(folder)) {
    test(file, () => {
      const ecosystem = FILES.get(file.replace(/-versions.*$/, '')) ?? ''
      const lines = readFileSync(join(folder ?? '', file), 'utf8').split('\n')
      const pairs = lines.flatMap((line) => {
        const [, a = '', sign = '', b = ''] = /^\s*([^#/\s].*?) (<|>|=) (.+?)\s*$/.exec(line) ?? []
        return sign === '' ? [] : [{ a, b, expected: sign === '<' ? -1 : sign === '>' ? 1 : 0 }]
      })
      assert.ok(pairs.length > 0)
      const wrong = pairs.filter(({ a, b, expected }) => {
        const [there, back] = [order(ecosystem, a, b), order(ecosystem, b, a)]
        return there !== undefined && (there !== expected || back !== -expected + 0) && !isTheirs(ecosystem, a, b)
      })
      assert.deepEqual(wrong, [])
      const unordered = pairs.filter(({ a, b }) => order(ecosystem, a, b) === undefined)
      // Made up to be odd, or of before there were rules.
      assert.ok(
        unordered.length <= Math.max(6, pairs.length / 3),
        `${String(unordered.length)} of ${String(pairs.length)}`,
      )
    })
  }
})

const number = fc.constantFrom('0', '1', '2', '9', '10', '01', '100', '20240101')
const numbers = fc.array(number, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'))
const pick = (...parts: readonly string[]) => fc.constantFrom('', ...parts)
const joined = (...parts: readonly fc.Arbitrary<string>[]) => fc.tuple(...parts).map((all) => all.join(''))

/** Versions as they are written in each ecosystem. */
const VERSIONS: ReadonlyMap<string, fc.Arbitrary<string>> = new Map([
  [
    'npm',
    joined(
      number,
      fc.constant('.'),
      number,
      fc.constant('.'),
      number,
      pick('-alpha', '-beta.1', '-rc.10', '-1', '+build'),
    ),
  ],
  ['NuGet', joined(numbers, pick('-alpha', '-BETA', '-rc.1', '-beta.2+x'))],
  [
    'Pub',
    joined(number, fc.constant('.'), number, fc.constant('.'), number, pick('-dev.1', '-pre'), pick('+1', '+a', '+10')),
  ],
  [
    'PyPI',
    joined(
      pick('1!'),
      numbers,
      pick('a1', 'b2', 'rc1', '.alpha', '-c3'),
      pick('.post1', '-1', '.rev2'),
      pick('.dev0', '.dev5'),
      pick('+local', '+1', '+a.1'),
    ),
  ],
  [
    'Debian',
    joined(
      pick('1:', '0:'),
      numbers,
      pick('a', '~rc1', '+dfsg', '~~', '+b1'),
      pick('-1', '-0', '-1ubuntu1', '-1~deb12u1', '-1+deb12u10'),
    ),
  ],
  [
    'Red Hat',
    joined(
      pick('1:', '0:'),
      numbers,
      pick('a', '~rc1', '^git1', 'b2', '~rc1^2'),
      pick('-1', '-1.el8', '-1.el8_6', '-10.el9'),
    ),
  ],
  [
    'Alpine',
    joined(
      numbers,
      pick('a', 'b'),
      pick('_alpha', '_beta2', '_rc1', '_p1', '_git20240101'),
      pick('-r0', '-r1', '-r10'),
    ),
  ],
  [
    'Maven',
    joined(
      numbers,
      pick('-alpha', '-beta-2', '.Final', '-SNAPSHOT', '-rc1', 'a1', '-1', '-sp', '-jre', '.RELEASE', '-M1'),
    ),
  ],
  ['RubyGems', joined(numbers, pick('.a', '.beta2', '.rc.1', '.pre'))],
  [
    'Packagist',
    joined(
      pick('v'),
      number,
      fc.constant('.'),
      number,
      fc.constant('.'),
      number,
      pick('-alpha1', '-beta2', '-rc1', '-p1', '-dev'),
    ),
  ],
  ['Hackage', numbers],
  ['CRAN', joined(numbers, pick('-1', '-10'))],
])

const oracle = oracleNamed('versions-oracle')
describe('generated pairs', { skip: oracle === undefined ? 'no version oracle' : false }, () => {
  for (const [ecosystem, version] of VERSIONS) {
    test(ecosystem, () => {
      const options = { numRuns: fuzzRuns() * 50, seed: Number(process.env['FUZZ_SEED'] ?? 1) }
      const questions = fc.sample(fc.record({ ecosystem: fc.constant(ecosystem), a: version, b: version }), options)
      const answers = askOracle(oracle ?? '', questions) as readonly { readonly order: number | null }[]
      let compared = 0
      const wrong = questions.flatMap(({ a, b }, index) => {
        const [own, theirs] = [order(ecosystem, a, b), answers[index]?.order ?? undefined]
        if (own === undefined || theirs === undefined) return []
        compared += 1
        return own === Math.sign(theirs) || isTheirs(ecosystem, a, b) ? [] : [{ a, b, own, theirs }]
      })
      assert.deepEqual(wrong.slice(0, 10), [], `${String(wrong.length)} of ${String(compared)}`)
      assert.ok(compared > questions.length * 0.9, `only ${String(compared)} of ${String(questions.length)} compared`)
    })
  }
})
