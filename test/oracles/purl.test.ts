/**
 * Package URLs against packageurl-go, on generated texts; and the test suite of purl-spec, where a checkout of it is named by
 * PURL_SPEC.
 * @module
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { formatPurl, parsePurl, type PackageUrl } from '#formats/purl/purl'
import { fuzzRuns } from '#testing/fuzz'
import { askOracle, oracleNamed } from './oracle.js'

function read(text: string): PackageUrl | undefined {
  try {
    return parsePurl(text)
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}

interface Parts {
  readonly type: string
  readonly namespace: string | null
  readonly name: string
  readonly version: string | null
  readonly qualifiers: Readonly<Record<string, string>> | null
  readonly subpath: string | null
}

function partsOf({ type, namespace, name, version, qualifiers, subpath }: PackageUrl): Parts {
  return {
    type,
    namespace: namespace ?? null,
    name,
    version: version ?? null,
    qualifiers: qualifiers.size === 0 ? null : Object.fromEntries(qualifiers),
    subpath: subpath ?? null,
  }
}

const oracle = oracleNamed('purl-oracle')
test('the same parts as packageurl-go', { skip: oracle === undefined ? 'no package URL oracle' : false }, () => {
  const part = fc.stringMatching(/^[A-Za-z0-9._-]{1,8}$/)
  const encoded = fc.oneof(
    part,
    fc.string({ minLength: 1, maxLength: 4 }).map((text) => encodeURIComponent(text.replaceAll('/', ''))),
  )
  const text = fc
    .record({
      type: fc.constantFrom(
        'npm',
        'maven',
        'deb',
        'rpm',
        'golang',
        'pypi',
        'gem',
        'generic',
        'composer',
        'GitHub',
        'oci',
      ),
      namespace: fc.array(encoded, { maxLength: 3 }),
      name: part,
      version: fc.option(encoded, { nil: undefined }),
      qualifiers: fc.dictionary(fc.constantFrom('arch', 'distro', 'repository_url'), encoded, { maxKeys: 2 }),
      // It keeps `.` and `..`, which are to be discarded.
      subpath: fc.array(fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/), { maxLength: 2 }),
    })
    .map(({ type, namespace, name, version, qualifiers, subpath }) => {
      const query = Object.entries(qualifiers).map(([key, value]) => `${key}=${value}`)
      return [
        `pkg:${[type, ...namespace, name].join('/')}`,
        version === undefined ? '' : `@${version}`,
        query.length === 0 ? '' : `?${query.join('&')}`,
        subpath.length === 0 ? '' : `#${subpath.join('/')}`,
      ].join('')
    })
  const questions = fc
    .sample(text, { numRuns: fuzzRuns() * 50, seed: Number(process.env['FUZZ_SEED'] ?? 1) })
    .map((purl) => ({ purl }))
  const answers = askOracle(oracle ?? '', questions) as readonly (Parts & { readonly error?: string })[]
  let compared = 0
  const different = questions.flatMap(({ purl }, index) => {
    const [own, theirs] = [read(purl), answers[index]]
    if (own === undefined || theirs === undefined || theirs.error !== undefined) return []
    compared += 1
    // It keeps what the types fold (versions of PyPI, case in OCI), and knows fewer of them.
    const folded = (parts: Parts): string =>
      JSON.stringify([
        parts.type,
        parts.namespace || null,
        parts.name,
        parts.version || null,
        Object.entries(parts.qualifiers ?? {}).sort(),
        parts.subpath || null,
      ])
        .toLowerCase()
        .replaceAll('_', '-')
    return folded(partsOf(own)) === folded(theirs) ? [] : [{ purl, own: partsOf(own), theirs }]
  })
  assert.deepEqual(different.slice(0, 5), [], `${String(different.length)} of ${String(compared)}`)
  assert.ok(compared > questions.length * 0.7, `only ${String(compared)} of ${String(questions.length)} compared`)
})

/**
 * Cases in which the suite contradicts its own text: keys in capitals ("the key is the lowercase left side"), a slash at the end
 * of a name ("strip all trailing slashes"); and `git`, whose name goes on over slashes, which no vulnerability record uses.
 */
const CONTRADICTIONS = [/\?(?:Platform|Arch)=/, /\/@5\.4\.3$/, /^pkg:git\//]

interface Case {
  readonly description: string
  readonly test_type: 'parse' | 'build' | 'validate'
  readonly input: unknown
  readonly expected_output: unknown
  readonly expected_failure: boolean
}

const suite = join(process.env['PURL_SPEC'] ?? 'no-purl-spec', 'tests')
describe(
  'the test suite of purl-spec',
  { skip: existsSync(suite) ? false : 'PURL_SPEC names no checkout of purl-spec' },
  () => {
    for (const folder of existsSync(suite) ? ['spec', 'types'] : []) {
      for (const file of readdirSync(join(suite, folder))) {
        test(file, () => {
          const { tests } = JSON.parse(readFileSync(join(suite, folder, file), 'utf8')) as { tests: readonly Case[] }
          for (const {
            description,
            test_type: kind,
            input,
            expected_output: expected,
            expected_failure: fails,
          } of tests) {
            if (typeof input !== 'string' || CONTRADICTIONS.some((pattern) => pattern.test(input))) continue
            const purl = read(input)
            const output = purl === undefined ? undefined : kind === 'parse' ? partsOf(purl) : formatPurl(purl)
            assert.deepEqual(output, fails ? undefined : expected, `${description}: ${input}`)
          }
        })
      }
    }
  },
)
