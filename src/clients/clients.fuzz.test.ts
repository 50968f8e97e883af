import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '#encoding/utf8'
import { generatePrivateKey } from '#crypto/private-key'
import { isCodedError } from '#errors'
import { fakeNetwork } from '#testing/fake-fetch'
import { fakeTimers } from '#testing/fake-timers'
import { fuzzRuns } from '#testing/fuzz'
import { requestCertificate } from './fulcio/fulcio.js'
import type { Fetch } from './http/fetch.js'
import { redactUrl } from './http/trace.js'
import { printable, readReason } from './http/reason.js'
import { discoverIssuer } from './oidc/issuer.js'
import { fetchJwtSvid } from './oidc/spiffe.js'
import { checkToken } from './oidc/token.js'
import { createRekorTilesClient } from './rekor-tiles/rekor-tiles.js'
import { createRekorClient } from './rekor/rekor.js'
import { parseChallenges } from './registry/challenge.js'
import { createRegistryClient } from './registry/client.js'
import { parseDockerConfig } from './registry/docker-config.js'
import { requestTimestamp } from './tsa/tsa.js'

const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const APP = { registry: 'reg.example', repository: 'app' }
const DIGEST = `sha256:${'0'.repeat(64)}`

/** Bytes, JSON of any shape, and JSON with the names that the parsers look for. */
const NAMES = [
  'token',
  'manifests',
  'digest',
  'size',
  'issuer',
  'signedCertificateEmbeddedSct',
  'chain',
  'certificates',
  'logIndex',
  'inclusionProof',
  'auths',
  'auth',
  'verification',
  'body',
  'a'.repeat(64),
]
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, 0, -1, 1e300, '', 'x', 'AAAA', DIGEST, '-----BEGIN CERTIFICATE-----'),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie('tree'), { maxKeys: 4 }),
  ),
}))
const input = fc.oneof(
  fc.uint8Array({ maxLength: 64 }),
  fc.json().map(encodeUtf8),
  tree.map((value) => encodeUtf8(JSON.stringify(value))),
)

/** Any answer gives a value or a coded error; nothing else may come out. */
function survives(
  name: string,
  status: number,
  work: (fetch: Fetch) => Promise<unknown>,
  headers: Readonly<Record<string, string>> = {},
): void {
  test(`${name} survives any answer with status ${String(status)}`, async () => {
    await fc.assert(
      fc.asyncProperty(input, async (body) => {
        const { fetch } = fakeNetwork((_request, index) => (index === 0 ? { status, headers, body } : { status: 404 }))
        await coded(async () => await work(fetch))
      }),
      { numRuns: fuzzRuns() },
    )
  })
}

async function coded(work: () => unknown): Promise<void> {
  try {
    await work()
  } catch (error) {
    assert.ok(isCodedError(error), String(error))
  }
}

const registry = (fetch: Fetch): ReturnType<typeof createRegistryClient> =>
  createRegistryClient({ fetch, clock: () => 0, keychain: () => Promise.resolve({ kind: 'anonymous' }) })
const INDEX = { 'content-type': 'application/vnd.oci.image.index.v1+json' }
const { timers } = fakeTimers()

for (const status of [200, 409]) {
  survives('Rekor v1', status, async (fetch) => await createRekorClient({ fetch, baseUrl: 'https://r' }).create({}))
  survives(
    'Rekor v2',
    status,
    async (fetch) => {
      const entry = {
        digest: { algorithm: 'sha256', value: new Uint8Array(32) } as const,
        signature: new Uint8Array(1),
        verifier: { kind: 'public-key', spki: key.publicKey.spki } as const,
        algorithm: key.algorithm,
      }
      await createRekorTilesClient({ fetch, baseUrl: 'https://r', timers, logIdOf: () => undefined }).create(entry)
    },
    { 'x-log-index': '0' },
  )
}
survives(
  'a checkpoint',
  200,
  async (fetch) => await createRekorTilesClient({ fetch, baseUrl: 'https://r', timers }).checkpoint(),
)
survives('Fulcio', 200, async (fetch) => {
  const request = { identityToken: 'a.b.c', publicKey: key.publicKey, proofOfPossession: new Uint8Array(1) }
  await requestCertificate({ fetch, baseUrl: 'https://f' }, request)
})
survives('a timestamp', 200, async (fetch) => {
  await requestTimestamp(
    { fetch, url: 'https://t', random: (length) => new Uint8Array(length) },
    { data: new Uint8Array(1) },
  )
})
survives('OIDC discovery', 200, async (fetch) => await discoverIssuer(fetch, 'https://i.example'))
survives('referrers', 200, async (fetch) => await registry(fetch).referrers(APP, DIGEST), INDEX)
survives('the fallback list', 200, async (fetch) => await registry(fetch).referrers(APP, DIGEST))
survives('tags', 200, async (fetch) => await registry(fetch).tags(APP))
survives('a registry token', 401, async (fetch) => await registry(fetch).tags(APP), {
  'www-authenticate': 'Bearer realm="https://x"',
})
survives('a reason', 500, async (fetch) => await readReason(await fetch('https://x')))

test('configurations, challenges, tokens and protobuf survive any input', async () => {
  await fc.assert(
    fc.asyncProperty(input, fc.string(), async (bytes, text) => {
      await coded(() => parseDockerConfig(bytes, '/config.json'))
      await coded(() => parseChallenges(text))
      await coded(() => checkToken(text, 'it'))
      await coded(() => redactUrl(text))
      await coded(async () => await fetchJwtSvid({ env: {}, call: () => Promise.resolve(bytes) }, 'sigstore'))
    }),
    { numRuns: fuzzRuns() },
  )
})

test('what is printable is one short line without control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
      const line = printable(text)
      assert.ok(line.length <= 301)
      assert.ok(
        ![...line].some(
          (character) => character < ' ' || character === '\u007f' || (character >= '\u0080' && character <= '\u009f'),
        ),
      )
    }),
    { numRuns: fuzzRuns() },
  )
})
