import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { router } from '#serving/routes'
import { readManifest } from './manifest.js'
import { createMemoryStorage } from './memory-storage.js'
import { parseDigest, parseName, parseReference, parseTag } from './names.js'
import { registryRoutes } from './registry.js'

function valueOrCodedError(run: () => unknown): boolean {
  try {
    run()
    return true
  } catch (error) {
    return isCodedError(error)
  }
}

const IMAGE = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'

const descriptor = fc.record(
  { digest: fc.oneof(fc.string(), fc.constant(`sha256:${'0'.repeat(64)}`)), size: fc.integer() },
  { requiredKeys: [] },
)
const manifestLike = fc.record(
  {
    schemaVersion: fc.constantFrom(1, 2, '2'),
    config: fc.oneof(descriptor, fc.jsonValue()),
    layers: fc.oneof(fc.array(descriptor), fc.jsonValue()),
    manifests: fc.oneof(fc.array(descriptor), fc.jsonValue()),
    subject: fc.oneof(descriptor, fc.jsonValue()),
    annotations: fc.oneof(fc.dictionary(fc.string(), fc.string()), fc.jsonValue()),
    artifactType: fc.jsonValue(),
    mediaType: fc.constantFrom(IMAGE, INDEX),
  },
  { requiredKeys: [] },
)

test('any bytes are a manifest or a coded error', () => {
  const bytes = fc.oneof(
    fc.uint8Array(),
    fc.json().map(encodeUtf8),
    manifestLike.map((value) => encodeUtf8(JSON.stringify(value))),
  )
  fc.assert(
    fc.property(fc.constantFrom(IMAGE, INDEX, 'text/plain'), bytes, (type, content) =>
      valueOrCodedError(() => readManifest(type, content)),
    ),
  )
})

test('any text is a name, a tag, a digest or a coded error, and what passes cannot leave its folder', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9._\-/:A-Z]{0,300}$/))
  fc.assert(
    fc.property(text, (input) => {
      for (const parse of [parseName, parseTag, parseReference, parseDigest])
        assert.ok(valueOrCodedError(() => parse(input)))
      const passes = valueOrCodedError(() => parseName(input)) && isName(input)
      return !passes || input.split('/').every((segment) => /^[a-z0-9]/.test(segment))
    }),
  )
})

function isName(text: string): boolean {
  try {
    return parseName(text) === text
  } catch {
    return false
  }
}

test('any request below /v2/ is answered, and never with a fault', async () => {
  const handler = router(
    registryRoutes({ storage: createMemoryStorage(), clock: () => 0, random: (length) => new Uint8Array(length) }),
  )
  const segment = fc.oneof(
    fc.constantFrom(
      'a',
      'b',
      'blobs',
      'uploads',
      'manifests',
      'tags',
      'list',
      'referrers',
      '_catalog',
      '..',
      '%2e%2e',
      '%00',
      '',
      `sha256:${'0'.repeat(64)}`,
    ),
    fc.string().map(encodeURIComponent),
  )
  const headers = fc.record(
    {
      range: fc.constantFrom('bytes=0-', 'bytes=-1', 'x'),
      'content-range': fc.constantFrom('0-1', '9-', 'x'),
      'content-type': fc.constantFrom(IMAGE, INDEX),
    },
    { requiredKeys: [] },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'),
      fc.array(segment, { maxLength: 7 }),
      headers,
      fc.string(),
      async (method, segments, head, body) => {
        const request = new Request(
          `http://r/v2/${segments.join('/')}?digest=sha256:${'0'.repeat(64)}&n=${String(body.length)}`,
          {
            method,
            headers: head,
            ...(method !== 'GET' && method !== 'HEAD' && { body }),
          },
        )
        const { status } = await handler(request)
        return status < 500
      },
    ),
  )
})
