import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { ClientTrustConfig as PeerConfig, SigningConfig as PeerSigningConfig } from '@sigstore/protobuf-specs'
import fc from 'fast-check'
import { isCodedError } from '#errors'
import { fuzzRuns } from '#testing/fuzz'
import { createTestPki } from '#testing/pki/pki'
import type { TrustedRoot } from '../trusted-root/trusted-root.js'
import { parseClientTrustConfig, serializeClientTrustConfig } from './client-trust-config.js'
import { parseSigningConfig } from './parse.js'
import { selectService, selectServices } from './select.js'
import { serializeSigningConfig } from './serialize.js'
import type { Service, ServiceSelector, SigningConfig } from './signing-config.js'

const NOW = 1_700_000_000_000
const YEAR = 365 * 86_400_000

const service = (url: string, overrides: Partial<Service> = {}): Service => ({
  url: `https://${url}`,
  majorApiVersion: 1,
  validFor: { start: NOW - YEAR },
  operator: 'one.example',
  ...overrides,
})

const CONFIG: SigningConfig = {
  caUrls: [service('fulcio.example')],
  oidcUrls: [service('oidc.example')],
  rekorTlogUrls: [
    service('log2.example', { majorApiVersion: 2, validFor: { start: NOW, end: NOW + YEAR } }),
    service('log1.example'),
  ],
  tsaUrls: [service('tsa.example/api/v1/timestamp')],
  rekorTlogConfig: { selector: 'ANY' },
  tsaConfig: { selector: 'EXACT', count: 1 },
}

let trustedRoot: TrustedRoot

before(async () => {
  trustedRoot = (await createTestPki()).trusted
})

test('a signing configuration reads back, and the peer reads the same', () => {
  const text = serializeSigningConfig(CONFIG)
  const normal = (value: unknown): unknown => JSON.parse(JSON.stringify(value).replaceAll('.000Z', 'Z'))
  assert.deepEqual(normal(parseSigningConfig(text)), normal(CONFIG))
  assert.deepEqual(normal(PeerSigningConfig.toJSON(PeerSigningConfig.fromJSON(JSON.parse(text)))), JSON.parse(text))
})

test('trusted root and signing configuration travel together', () => {
  const text = serializeClientTrustConfig({ trustedRoot, signingConfig: CONFIG })
  assert.equal(serializeClientTrustConfig(parseClientTrustConfig(text)), text)
  assert.equal(PeerConfig.fromJSON(JSON.parse(text)).signingConfig?.caUrls[0]?.url, 'https://fulcio.example')
  assert.throws(() => parseClientTrustConfig(text.replace('clienttrustconfig', 'other')), {
    code: 'SIGNING_CONFIG_MEDIA_TYPE',
  })
  assert.throws(() => parseClientTrustConfig(text.replace('"trustedRoot"', '"trusted"')), {
    code: 'SIGNING_CONFIG_MALFORMED',
  })
  assert.throws(() => parseClientTrustConfig(text.replace('version=0.1', 'version=9')), {
    code: 'TRUSTED_ROOT_MEDIA_TYPE',
  })
  assert.throws(() => parseClientTrustConfig('{'), { code: 'SIGNING_CONFIG_MALFORMED' })
})

test('configurations of another form are refused', () => {
  const text = serializeSigningConfig(CONFIG)
  const cases: readonly [string, string][] = [
    ['', 'SIGNING_CONFIG_MALFORMED'],
    ['{}', 'SIGNING_CONFIG_MALFORMED'],
    [text.replace('v0.2', 'v0.1'), 'SIGNING_CONFIG_MEDIA_TYPE'],
    [text.replace('"caUrls"', '"caUrl"'), 'SIGNING_CONFIG_MALFORMED'],
    [text.replace('https://fulcio', 'javascript:fulcio'), 'SIGNING_CONFIG_MALFORMED'],
    [text.replace('"majorApiVersion": 1', '"majorApiVersion": -1'), 'SIGNING_CONFIG_MALFORMED'],
    [text.replace('"count": 1', '"count": 0'), 'SIGNING_CONFIG_SELECTOR'],
    [text.replace('"EXACT"', '"SOME"'), 'SIGNING_CONFIG_MALFORMED'],
  ]
  for (const [source, code] of cases) assert.throws(() => parseSigningConfig(source), { code }, source.slice(0, 80))
  assert.equal(parseSigningConfig(text.replace('"ANY"', '"SERVICE_SELECTOR_UNDEFINED"')).rekorTlogConfig, undefined)
})

const context = (supportedVersions: readonly number[], now = NOW): Parameters<typeof selectService>[1] => ({
  supportedVersions,
  now,
  what: 'the service',
})
const urls = (services: readonly Service[]): readonly string[] =>
  services.map(({ url }) => url.slice('https://'.length))

test('of several authorities the newest valid one of the highest version is used', () => {
  const services = [
    service('future', { validFor: { start: NOW + 1 }, majorApiVersion: 2 }),
    service('v2', { majorApiVersion: 2 }),
    service('v3', { majorApiVersion: 3 }),
    service('old', { validFor: { start: NOW - 2 * YEAR } }),
    service('new', { validFor: { start: NOW } }),
    service('over', { validFor: { start: NOW - 1, end: NOW - 1 } }),
  ]
  assert.deepEqual(urls([selectService(services, context([1]))]), ['new'])
  assert.deepEqual(urls([selectService(services, context([1, 2]))]), ['v2'])
  assert.throws(() => selectService(services, context([4])), { code: 'SIGNING_CONFIG_NO_SERVICE' })
  assert.throws(() => selectService([], context([1])), { code: 'SIGNING_CONFIG_NO_SERVICE' })
  assert.throws(() => selectService(services, context([])), { code: 'SIGNING_CONFIG_NO_SERVICE' })
})

test('validity includes both ends', () => {
  const one = [service('x', { validFor: { start: NOW, end: NOW } })]
  assert.deepEqual(urls([selectService(one, context([1]))]), ['x'])
  assert.throws(() => selectService(one, context([1], NOW + 1)), { code: 'SIGNING_CONFIG_NO_SERVICE' })
  assert.throws(() => selectService(one, context([1], NOW - 1)), { code: 'SIGNING_CONFIG_NO_SERVICE' })
})

test('of logs one an operator is used, all of one version', () => {
  const services = [
    service('a-new', { operator: 'a', majorApiVersion: 2, validFor: { start: NOW - 1 } }),
    service('a-old', { operator: 'a', majorApiVersion: 2, validFor: { start: NOW - 2 } }),
    service('b', { operator: 'b', majorApiVersion: 2, validFor: { start: NOW - 3 } }),
    service('c', { operator: 'c' }),
  ]
  const select = (selector: ServiceSelector | undefined, versions = [1, 2]): readonly string[] =>
    urls(selectServices(services, selector, context(versions)))
  assert.deepEqual(select({ selector: 'ALL' }), ['a-new', 'b'])
  assert.deepEqual(select({ selector: 'ANY' }), ['a-new'])
  assert.deepEqual(select({ selector: 'EXACT', count: 2 }), ['a-new', 'b'])
  assert.deepEqual(select({ selector: 'ALL' }, [1]), ['c'])
  assert.throws(() => select({ selector: 'EXACT', count: 3 }), { code: 'SIGNING_CONFIG_NO_SERVICE' })
  assert.throws(() => select(undefined), { code: 'SIGNING_CONFIG_SELECTOR' })
  assert.throws(() => select({ selector: 'ALL' }, [3]), { code: 'SIGNING_CONFIG_NO_SERVICE' })
})

test('any JSON is a signing configuration or is refused with a code', () => {
  const shaped = fc
    .record({
      mediaType: fc.constant('application/vnd.dev.sigstore.signingconfig.v0.2+json'),
      caUrls: fc.jsonValue(),
      tsaConfig: fc.jsonValue(),
    })
    .map((value) => JSON.stringify(value))
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string(), shaped), (source) => {
      for (const parse of [parseSigningConfig, parseClientTrustConfig]) {
        try {
          parse(source)
        } catch (error) {
          assert.ok(isCodedError(error) && error.code.startsWith('SIGNING_CONFIG_'), String(error))
        }
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
