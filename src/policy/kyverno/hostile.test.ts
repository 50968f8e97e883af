/** What whoever writes policies, resources or statements may try against Kyverno's front end: a coded error or a refusal, never a pass. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import type { JsonObject, JsonValue } from '#encoding/json'
import { NO_IMAGE_NAMES, ODD_IMAGE_NAMES } from '#testing/policy/odd-images'
import { openPolicyBench, type PolicyBench, type TestSigner } from '#testing/policy/bench'
import { compileText, documentsOf, judged, ruleOf, type RuleText } from '#testing/policy/kyverno'
import { podOf, reviewOf } from '#testing/policy/reviews'
import type { ReviewVerdict } from '../engine/verdict.js'
import type { Review } from '../internal/review.js'

const ISSUER = 'https://accounts.example.com'
const TYPE = 'https://example.com/scan/v1'
const KEYLESS = `keyless: {issuer: '${ISSUER}', subject: 'ann@example.com'}`
const SIGNED = `attestors: [{entries: [{${KEYLESS}}]}]`
const ANY_SIGNED = `imageReferences: ['*'], ${SIGNED}`

let bench: PolicyBench
let ann: TestSigner
let unsigned: string

before(async () => {
  bench = await openPolicyBench()
  ann = await bench.person('ann@example.com', ISSUER)
  unsigned = bench.pushImage('ghcr.io/acme/bare:1')
})

const nested = (open: string, close: string, depth: number): string => open.repeat(depth) + close.repeat(depth)
const policy = (spec: string): string =>
  `apiVersion: kyverno.io/v1\nkind: ClusterPolicy\nmetadata: {name: p}\nspec: ${spec}`

describe('documents', () => {
  const laughs = Array.from(
    { length: 12 },
    (_, level) => `a${String(level)}: &a${String(level)} [${`*a${String(level - 1)}, `.repeat(level === 0 ? 0 : 9)}1]`,
  )
  const indented = (depth: number): string =>
    Array.from({ length: depth }, (_, level) => `${' '.repeat(level)}a:\n`).join('')
  for (const [name, text] of [
    ['megabytes', policy(`{x: "${'x'.repeat(3 * 1024 * 1024)}"}`)],
    ['lists within lists', policy(nested('[', ']', 20_000))],
    ['a list within lists that nobody closes', policy('['.repeat(1_000_000))],
    ['objects within objects', policy(nested('{a: ', '}', 5000))],
    ['dashes behind dashes', `spec:\n${'- '.repeat(50_000)}`],
    ['lines further and further in', policy(`\n${indented(1200).replaceAll(/^/gm, '  ')}`)],
    ['aliases of aliases', laughs.join('\n')],
    ['a list of itself', 'spec: &a [*a]'],
    ['an object of itself', 'spec: &a {b: *a}'],
    ['an alias of nothing', 'spec: *a'],
    ['more values than a policy has', policy(`[${'1,'.repeat(250_000)}]`)],
    ['more documents than a file has', '---\na: 1\n'.repeat(1001)],
    ['a field twice, the second without attestors', policy('{rules: [], rules: []}')],
    ['a tag of another language', policy('{rules: !!js/function "function () {}"}')],
    ['bytes', policy('{rules: !!binary aGk=}')],
    ['numbers that JSON does not have', policy('{rules: .inf}')],
    ['numbers that are none', policy('{rules: .nan}')],
    ['a field of prototypes', policy('{__proto__: {rules: []}}')],
    ['a quote that nobody closes', policy('{rules: "}')],
    ['a tab', 'spec:\n\trules: []'],
    ['a control character', policy('{rules: "\u0000\u0001"}')],
    ['two levels that do not fit', 'spec:\n    a: 1\n  b: 2'],
    ['a text', 'ClusterPolicy'],
    ['a list', '- kind: ClusterPolicy'],
    ['a list with something else', '{kind: List, items: [1]}'],
    ['a list as a field’s name', policy('{? [rules] : []}')],
    ['an object as a field’s name', policy('{? {rules: 1} : []}')],
    ['a directive of the future', '%YAML 9.9\n%X\n---\na: 1'],
  ] as const) {
    test(`not read: ${name}`, async () => {
      await assert.rejects(documentsOf(text), { code: 'POLICY_DOCUMENT' })
    })
  }

  for (const [name, spec] of [
    ['the same by merging', '{<<: {rules: []}}'],
    ['no name', '{? : []}'],
    ['invisible characters in a name', '{"rules\\u200b": []}'],
    ['another case', '{Rules: []}'],
    ['rules that are none', '{rules: "verifyImages"}'],
    ['a rule that is none', '{rules: [null, 1, [], "r"]}'],
    ['no rules', '{rules: []}'],
    ['nothing', '{}'],
  ] as const) {
    test(`not compiled: ${name}`, async () => {
      await assert.rejects(compileText(policy(spec)), { code: 'POLICY_FIELD' })
    })
  }
})

describe('patterns that are refused when the policy is loaded', () => {
  for (const pattern of [
    ...['(', 'a)', '[', '[z-a]', '*', 'a**', '\\\\1(a)', '(?=a)a', '(?<!a)b', '(?P<n>a)(?P=n)', '\\\\p{Nobody}'],
    ...['a{1001}', '(a{1000}){1000}', '((a{100}){100}){100}', '(?:'.repeat(200), 'a'.repeat(5000)],
  ]) {
    test(pattern.slice(0, 40), async () => {
      const keyless = `keyless: {issuer: a, subjectRegExp: "${pattern}"}`
      const entry = `imageReferences: ['*'], attestors: [{entries: [{${keyless}}]}]`
      await assert.rejects(ruleOf(entry), { code: 'POLICY_FIELD' })
    })
  }
})

async function verdictOf(entry: string, review: Review, text: RuleText = {}): Promise<ReviewVerdict> {
  return await judged([await ruleOf(entry, text)], review, { ports: bench.ports() })
}

/** Denied, also where outages let pass: what a resource or a statement brings about is no outage. */
async function refused(entry: string, review: Review, text: RuleText = {}): Promise<void> {
  for (const spec of [
    'validationFailureAction: Enforce',
    'validationFailureAction: Enforce, failurePolicy: Ignore',
    'validationFailureAction: Enforce, webhookConfiguration: {failurePolicy: Ignore}',
  ]) {
    const { allowed, pins } = await verdictOf(entry, review, { spec, ...text })
    assert.deepEqual({ allowed, pins }, { allowed: false, pins: [] }, spec)
  }
}

describe('patterns that are slow elsewhere', () => {
  const long = `https://example.com/${'a'.repeat(1500)}`

  for (const pattern of [
    '(a|a)*b',
    '(.*)*z',
    '(([a-z])+.)+[A-Z]([a-z])+',
    '(a?){100}a{100}b',
    'https://(.+)+/(.+)+z',
  ]) {
    test(`an identity against ${pattern}`, async () => {
      const image = bench.pushImage(`ghcr.io/acme/slow:${String(pattern.length)}`)
      await bench.sign(image, await bench.person(long, ISSUER))
      const keyless = `keyless: {issuer: '${ISSUER}', subjectRegExp: '${pattern}'}`
      await refused(`imageReferences: ['*'], attestors: [{entries: [{${keyless}}]}]`, podOf(image))
    })
  }

  test('an identity against many wildcards', async () => {
    const image = bench.pushImage('ghcr.io/acme/slow:wildcards')
    await bench.sign(image, await bench.person(long, ISSUER))
    const keyless = `keyless: {issuer: '${ISSUER}', subject: '${'*a'.repeat(200)}*b'}`
    await refused(`imageReferences: ['*'], attestors: [{entries: [{${keyless}}]}]`, podOf(image))
  })

  test('an image against many wildcards', async () => {
    const image = `ghcr.io/${'a'.repeat(250)}:1`
    const references = `imageReferences: ['${'*a'.repeat(200)}*b', '*']`
    await refused(`${references}, ${SIGNED}`, podOf(image))
  })
})

describe('what a resource may try', () => {
  const annotated = (value: JsonValue): Review =>
    reviewOf('Pod', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'test', annotations: { a: value } },
      spec: { containers: [{ name: 'a', image: unsigned }] },
    })
  const A = 'request.object.metadata.annotations.a'
  const when = (key: string, operator = 'Equals', value = 'true'): RuleText => ({
    more: `preconditions: {all: [{key: "${key}", operator: ${operator}, value: ${value}}]}`,
  })

  for (const [name, text, value] of [
    [
      'a pattern of its own that explodes',
      when(`{{ regex_match('(a|a)*b|(a+)+c', ${A}) || \`true\` }}`),
      'a'.repeat(5000),
    ],
    ['a pattern of its own that is large, and a large text', when(`{{ regex_match(${A}, ${A}) }}`), 'a?'.repeat(1500)],
    ['a pattern of its own that is too large', when(`{{ regex_match(${A}, 'a') }}`), '((a{1000}){1000}){1000}'],
    ['a pattern of its own that is none', when(`{{ regex_match(${A}, 'a') }}`), '('],
    ['wildcards of its own', when(`{{ pattern_match(${A}, ${A}) }}`), '*a'.repeat(50_000)],
    ['a text in the place of a truth', when(`{{ to_boolean(${A}) }}`), 'neither'],
    ['a text in the place of JSON', when(`{{ parse_json(${A}).skip }}`), '{"skip": fals'],
    ['JSON that is too deep', when(`{{ parse_json(${A}).skip }}`), nested('[', ']', 100_000)],
    ['aliases of aliases', when(`{{ parse_yaml(${A}).z }}`), 'a: &a [1,1]\nb: &b [*a,*a]\nc: &c [*b,*b]\nz: &z [*z]'],
    ['YAML that is too deep', when(`{{ parse_yaml(${A}).skip }}`), '['.repeat(100_000)],
    ['a quantity that is none', when(`{{ add(${A}, '1') }}`, 'Equals', "'2'"), '1e999999999'],
    ['a version that is none', when(`{{ semver_compare(${A}, '>1.0.0') }}`), `${'9'.repeat(10_000)}.0.0`],
    ['a time that is none', when(`{{ time_after(${A}, '2024-01-02T03:04:05Z') }}`), '9999-99-99T99:99:99Z'],
    ['a quote to leave', when(`{{ regex_match('{{ ${A} }}', 'never') }}`), "x', 'x') && `false` || ('"],
    ['a variable within a variable', when(`{{ ${A} }}`, 'NotEquals', 'default'), '{{ request.namespace }}'],
    ['another type', when(`{{ length(${A}) }}`, 'GreaterThan', '5'), 12],
  ] as const) {
    test(`to leave a rule by ${name}`, async () => {
      await refused(ANY_SIGNED, annotated(value), text)
    })
  }

  test('more wildcards than can be tried, against themselves', async () => {
    const list = JSON.stringify(Array.from({ length: 20_000 }, (_, index) => `*${String(index)}*`))
    for (const operator of ['AnyIn', 'AllIn', 'AnyNotIn', 'AllNotIn'])
      await refused(ANY_SIGNED, annotated(list), when(`{{ parse_json(${A}) }}`, operator, `"{{ parse_json(${A}) }}"`))
  })

  test('labels and names against wildcards of a policy', async () => {
    const match = `any: [{resources: {kinds: [Pod], names: ['${'*a'.repeat(100)}*b', '*']}}]`
    await refused(ANY_SIGNED, { ...podOf(unsigned), name: 'a'.repeat(253) }, { match })
  })

  test('to be excluded by annotations that only look like it', async () => {
    const exclude = 'exclude: {any: [{resources: {annotations: {skip: "yes*no"}}}]}'
    for (const annotations of [
      { skip: 'yes' },
      { Skip: 'yesno' },
      { 'skip ': 'yesno' },
      { skip: ['yesno'] },
      'yesno',
    ]) {
      const metadata = { name: 'test', annotations } as JsonObject
      const spec = { containers: [{ name: 'a', image: unsigned }] }
      await refused(ANY_SIGNED, reviewOf('Pod', { apiVersion: 'v1', kind: 'Pod', metadata, spec }), { more: exclude })
    }
  })
})

describe('what a statement may try, by whoever may make it', () => {
  const conditions = (key: string): string =>
    `imageReferences: ['*'], attestations: [{type: '${TYPE}', attestors: [{entries: [{${KEYLESS}}]}], conditions: [{all: [{key: "${key}", operator: Equals, value: true}]}]}]`
  let serial = 0

  for (const [name, key, predicate] of [
    ['a pattern that explodes', "{{ regex_match(p, 'x') }}", { p: '(x+x+)+y' }],
    ['a pattern that is too large', "{{ regex_match(p, 'x') }}", { p: '(x{1000}){1000}' }],
    ['a text that grows', `{{ ${'replace_all('.repeat(30)}p${", 'x', 'xxxxxxxx')".repeat(30)} }}`, { p: 'xxxx' }],
    ['a value that doubles', `{{ ${Array.from({ length: 60 }, () => '[@, @]').join(' | ')} }}`, { p: 1 }],
    ['many members', "{{ contains(p, 'x') }}", { p: Array.from({ length: 40_000 }, (_, index) => [index]) }],
    ['members of prototypes', '{{ constructor.name }}', { p: 1 }],
    ['a member of prototypes', '{{ p.__proto__.ok }}', { p: { a: 1 } }],
    ['what the condition asks, as a text', '{{ ok }}', { ok: 'true' }],
    ['what the condition asks, in a list', '{{ ok }}', { ok: [true] }],
    ['a variable in the place of a value', '{{ ok }}', { ok: '{{ `true` }}' }],
    ['a number beyond numbers', '{{ ok }}', { ok: '1e999' }],
  ] as const) {
    test(name, async () => {
      const image = bench.pushImage(`ghcr.io/acme/stated:${String(serial++)}`)
      await bench.attest(image, ann, { type: TYPE, predicate })
      await refused(conditions(key), podOf(image))
    })
  }
})

describe('odd names of images', () => {
  const digest = `sha256:${'a'.repeat(64)}`
  for (const image of ODD_IMAGE_NAMES) {
    test(JSON.stringify(image.slice(0, 60)), async () => {
      await refused(ANY_SIGNED, podOf(image))
      await refused(ANY_SIGNED, podOf(image, unsigned))
    })
  }

  for (const value of NO_IMAGE_NAMES) {
    test(`no text: ${JSON.stringify(value)}`, async () => {
      const containers: JsonObject[] = [{ name: 'a', image: value }]
      await refused(ANY_SIGNED, reviewOf('Pod', { metadata: { name: 'test' }, spec: { containers } }))
    })
  }

  for (const [reference, images] of [
    [
      'ghcr.io/acme/*',
      ['GHCR.IO/acme/bare:1', 'Ghcr.io/acme/bare', 'ghcr.io:443/acme/bare:1', 'GHCR.io:443/acme/bare'],
    ],
    [
      'docker.io/acme/*',
      ['acme/bare', 'index.docker.io/acme/bare', 'registry-1.docker.io/acme/bare', 'DOCKER.IO/acme/bare'],
    ],
    ['nginx*', ['docker.io/library/nginx', 'registry-1.docker.io/library/nginx', 'index.docker.io:443/library/nginx']],
    ['registry.example.net:5000/*', ['Registry.Example.NET:5000/acme/bare']],
  ] as const) {
    for (const image of images) {
      test(`${reference} is about ${image}`, async () => {
        const result = await verdictOf(`imageReferences: ['${reference}'], ${SIGNED}`, podOf(image))
        assert.equal(result.allowed, false)
        await refused(`imageReferences: ['${reference}'], ${SIGNED}`, podOf(`${image}@${digest}`))
      })
    }
  }

  test('another spelling is not what is left out', async () => {
    const entry = `imageReferences: ['*'], skipImageReferences: ['ghcr.io/acme/tools*'], ${SIGNED}`
    for (const image of [
      'ghcr.io/acme/tool',
      'ghcr.io/acme/tools/../bare',
      'evil.example/ghcr.io/acme/tools',
      'acme/tools',
    ])
      await refused(entry, podOf(image))
  })

  test('more images than anybody needs', async () => {
    await refused(ANY_SIGNED, podOf(...new Array<string>(501).fill('ghcr.io/acme/bare:1')))
  })
})
