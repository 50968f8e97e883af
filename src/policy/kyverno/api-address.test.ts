/** Where a policy's calls go: an address of checked names, whoever fills in its variables. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import fc from 'fast-check'
import type { JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { loadJmesPath } from '../jmespath/expression.js'
import type { CompileExpression } from '../jmespath/expression.js'
import { clusterAddress } from './api-address.js'
import type { AddressReading } from './api-address.js'

let compile: CompileExpression

before(async () => {
  compile = await loadJmesPath()
})

function address(written: string, data: JsonObject = {}, more: Partial<AddressReading> = {}): string {
  return clusterAddress(written, { compile, namespace: undefined, method: 'GET', ...more })(data, () => 0)
}

const refused = { code: 'POLICY_CONTEXT' }

describe('what is written', () => {
  for (const [written, expected] of [
    ['/api/v1/namespaces/a/pods', undefined],
    ['/apis/apps/v1/deployments?limit=5', undefined],
    ['/apis/apps/v1/deployments?', '/apis/apps/v1/deployments'],
    ['/api/v1/namespaces/a/pods/', '/api/v1/namespaces/a/pods'],
    ['/api/v1/pods?labelSelector=app=web,tier!=db', '/api/v1/pods?labelSelector=app%3Dweb%2Ctier!%3Ddb'],
    ['/api/v1/pods?labelSelector=app%3Dweb&limit=1', undefined],
    ['/api/v1/pods?labelSelector=app in (a, b)', '/api/v1/pods?labelSelector=app%20in%20(a%2C%20b)'],
    [
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system:node',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
    ],
    [
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3anode',
      '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode',
    ],
  ] as const) {
    test(written, () => {
      assert.equal(address(written), expected ?? written)
    })
  }

  for (const written of [
    ...[
      '/api/v1/namespaces/../secrets',
      '/api/v1/namespaces/%2e%2e/secrets',
      '/api/v1/./secrets',
      '/api/v1/%2E/secrets',
    ],
    ...['/api/v1//secrets', '//api/v1/secrets', '/api/v1/a%2f%2fb', '/api/v1/a%2fb', '/api/v1/a%5cb', '/api/v1/a\\b'],
    ...[
      '/api/v1/%252e%252e/secrets',
      '/api/v1/a%25b',
      '/api/v1/%zz',
      '/api/v1/%',
      '/api/v1/%ff',
      '/api/v1/a%00b',
      '/api/v1/a\tb',
    ],
    ...[
      '/healthz',
      '/version',
      '/',
      '',
      'api/v1/pods',
      '/API/v1/pods',
      '/api',
      '/apis',
      '/apix/v1/pods',
      '/%2fapi/v1/pods',
    ],
    ...['https://evil.example/api/v1', '//evil.example/api/v1', '@evil.example/api/v1/x', '/api/v1/a b'],
    ...[
      '/api/v1/pods#x',
      '/api/v1/pods?a=b#c',
      '/api/v1/pods?a',
      '/api/v1/pods?=b',
      '/api/v1/pods?a%3db=c',
      '/api/v1/pods?a=%zz',
    ],
    `/api/v1/${'a'.repeat(5000)}`,
  ]) {
    test(`refused: ${JSON.stringify(written.slice(0, 60))}`, () => {
      assert.throws(() => address(written), refused)
    })
  }
})

/** What somebody who writes a resource can put in a name, a label or an annotation. */
const HOSTILE = [
  ...[
    '..',
    '.',
    '',
    '../../kube-system/secrets/x',
    '..%2f..%2fkube-system',
    '%2e%2e',
    '%2E%2E/x',
    '%252e%252e',
    '..;/x',
  ],
  ...['a/b', '/a', 'a/', 'a%2fb', 'a%2Fb', 'a\\b', '..\\..', 'a//b', '/', '//', '%'],
  ...[
    'a?x=y',
    '?watch=true',
    'a#b',
    '#',
    'a%3fb',
    'a%23b',
    'a b',
    'a\nb',
    'a\tb',
    '\u0000',
    'a\u202eb',
    '．．',
    'a／b',
  ],
]

describe('what variables put in', () => {
  test('a name stays where it stands', () => {
    const data = { request: { namespace: 'team-a', object: { metadata: { name: 'web' } } } }
    assert.equal(
      address('/api/v1/namespaces/{{request.namespace}}/pods/{{ request.object.metadata.name }}-1', data),
      '/api/v1/namespaces/team-a/pods/web-1',
    )
    assert.equal(
      address('/api/v1/namespaces/{{request.namespace}}/pods', data, { namespace: 'team-a' }),
      '/api/v1/namespaces/team-a/pods',
    )
    assert.equal(address('/api/v1/pods?limit={{n}}', { n: 5 }), '/api/v1/pods?limit=5')
  })

  for (const name of HOSTILE) {
    test(`no more than a name: ${JSON.stringify(name)}`, () => {
      for (const written of [
        '/api/v1/namespaces/default/pods/{{x}}',
        '/api/v1/namespaces/{{x}}/pods',
        '/{{x}}/v1/pods',
        '/api/{{x}}/pods',
      ])
        for (const namespace of [undefined, 'default'])
          assert.throws(() => address(written, { x: name }, { namespace }), refused, written)
    })
  }

  for (const [written, data] of [
    ['/api/v1/namespaces/default/pods/{{a}}{{b}}', { a: '.', b: '.' }],
    ['/api/v1/namespaces/default/pods/.{{a}}', { a: '.' }],
    ['/api/v1/namespaces/default/pods/%2{{a}}', { a: 'e' }],
    ['/api/v1/namespaces/default/pods/%{{a}}', { a: '2f' }],
    ['{{a}}', { a: '/api/v1/secrets' }],
    ['{{a}}/pods', { a: '/api/v1/namespaces/kube-system' }],
    ['/api/{{a}}', { a: 'v1/secrets' }],
  ] as const) {
    test(`pieces that make more together: ${written}`, () => {
      assert.throws(() => address(written, data), refused)
    })
  }

  for (const value of ['x&limit=1', 'x#y', 'x=y', 'a,b', '%26watch%3dtrue', 'x y', '../..', '?', 'a+b']) {
    test(`a parameter stays one: ${JSON.stringify(value)}`, () => {
      const url = new URL(address('/api/v1/pods?labelSelector=app%3D{{x}}&limit=7', { x: value }), 'https://k')
      assert.equal(url.pathname, '/api/v1/pods')
      assert.deepEqual(
        [...url.searchParams],
        [
          ['labelSelector', `app=${value}`],
          ['limit', '7'],
        ],
      )
      assert.equal(url.hash, '')
    })
  }

  for (const written of [
    '/api/v1/pods?{{x}}',
    '/api/v1/pods?{{x}}=1',
    '/api/v1/pods?a{{x}}=1',
    '/api/v1/pods?a=1&{{x}}',
  ]) {
    test(`no variable names a parameter: ${written}`, () => {
      assert.throws(() => address(written, { x: 'labelSelector' }), refused)
    })
  }

  test('whatever stands in for a variable, the address has the segments that the policy wrote', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string({ unit: fc.constantFrom('.', '/', '%', '2', 'e', 'E', '\\', '?', '#', '&', '=', ' ', 'a') }),
        ),
        (x) => {
          try {
            const made = address(
              '/api/v1/namespaces/default/pods/{{x}}?labelSelector={{x}}',
              { x },
              { namespace: 'default' },
            )
            const { pathname, searchParams } = new URL(made, 'https://k')
            assert.deepEqual(pathname.split('/').slice(0, 6), ['', 'api', 'v1', 'namespaces', 'default', 'pods'])
            assert.equal(pathname.split('/').length, 7)
            assert.equal(decodeURIComponent(pathname.split('/')[6]!), x)
            assert.deepEqual([...searchParams], [['labelSelector', x]])
          } catch (error) {
            assert.ok(isCodedError(error), String(error))
          }
        },
      ),
    )
  })
})

describe('a namespaced policy', () => {
  for (const written of [
    '/api/v1/namespaces/a/pods',
    '/api/v1/namespaces/a/pods/x',
    '/api/v1/namespaces/a/configmaps/x?limit=1',
    '/apis/apps/v1/namespaces/a/deployments',
    '/apis/apps/v1/namespaces/a/deployments/x/status',
    '/apis/apps/v1/namespaces/a/deployments/x/scale',
    '/api/v1/namespaces/a',
  ]) {
    test(`reads ${written}`, () => {
      assert.equal(address(written, {}, { namespace: 'a' }), written)
    })
  }

  for (const written of [
    ...['/api/v1/namespaces/b/pods', '/api/v1/namespaces/b', '/api/v1/namespaces', '/api/v1/pods', '/api/v1/nodes'],
    ...[
      '/api/v1/pods?x=/namespaces/a/',
      '/api/v1/pods?fieldSelector=metadata.namespace=a',
      '/apis/apps/v1/deployments',
    ],
    // The words are there, at another place.
    ...['/api/v1/nodes/x/proxy/namespaces/a/pods', '/api/v1/watch/namespaces/a/pods', '/api/namespaces/a/pods'],
    ...[
      '/apis/g/v1/clusterwidgets/namespaces/a',
      '/apis/g/v1/clusterwidgets/namespaces/a/b',
      '/apis/v1/namespaces/a/pods',
    ],
    ...['/api/v1/namespaces/b/namespaces/a/pods', '/api/v1/namespaces/A/pods', '/api/v1/namespaces/a./pods'],
    // Of others by way of its own.
    ...[
      '/api/v1/namespaces/a/services/x/proxy/api/v1/secrets',
      '/api/v1/namespaces/a/pods/x/proxy',
      '/api/v1/namespaces/a/pods/x/exec',
    ],
    ...['/api/v1/namespaces/a/pods/x/log', '/api/v1/namespaces/a/services/x:80/proxy'],
    // What whoever writes policies for a namespace may not be allowed to read there.
    ...['/api/v1/namespaces/a/secrets', '/api/v1/namespaces/a/secrets/x', '/api/v1/namespaces/a/%73ecrets/x'],
  ]) {
    test(`does not read ${written}`, () => {
      assert.throws(() => address(written, {}, { namespace: 'a' }), refused)
    })
  }

  test('asks for reviews in its namespace, and creates nothing of what is there', () => {
    const post = { namespace: 'a', method: 'POST' } as const
    const review = '/apis/authorization.k8s.io/v1/namespaces/a/localsubjectaccessreviews'
    assert.equal(address(review, {}, post), review)
    for (const written of [
      '/api/v1/namespaces/a/serviceaccounts/default/token',
      '/api/v1/namespaces/a/pods/x/eviction',
      '/api/v1/namespaces/a/pods/x',
      '/api/v1/namespaces/a',
      '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    ])
      assert.throws(() => address(written, {}, post), refused, written)
  })

  for (const resource of ['secrets', 'Secrets', 'secrets/x', 'x/../secrets']) {
    test(`a variable makes no other resource of it: ${resource}`, () => {
      assert.throws(() => address('/api/v1/namespaces/a/{{x}}', { x: resource }, { namespace: 'a' }), refused)
    })
  }
})
