import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRegistryClient } from '#clients/registry/client'
import { anonymousKeychain } from '#clients/registry/authenticator'
import { isCodedError } from '#errors'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { fakeRegistry } from '#testing/fake-registry'
import { fuzzRuns } from '#testing/fuzz'
import { imageForPlatform } from './platform.js'
import { resolveImage } from './resolve.js'

const APP = { registry: 'reg.example', repository: 'app' }
const PLATFORMS = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64', variant: 'v8' },
  { os: 'linux', architecture: 'arm', variant: 'v6' },
  { os: 'linux', architecture: 'arm', variant: 'v7' },
  { os: 'windows', architecture: 'amd64', 'os.version': '10.0.17763.1' },
  { os: 'windows', architecture: 'amd64', 'os.version': '10.0.20348.2' },
  undefined,
]

const registry = fakeRegistry()
const digests = PLATFORMS.map((_, index) =>
  registry.put('app', MEDIA_TYPES.ociManifest, JSON.stringify({ config: {}, layers: [], index })),
)
const manifests = PLATFORMS.map((platform, index) => ({
  mediaType: MEDIA_TYPES.ociManifest,
  size: 1,
  digest: digests[index],
  platform,
}))
registry.put('app', MEDIA_TYPES.ociIndex, JSON.stringify({ manifests }), 'multi')
registry.put('app', MEDIA_TYPES.ociManifest, '{"config":{},"layers":[]}', 'single')
const content = createRegistryClient({ fetch: registry.fetch, clock: () => 0, keychain: anonymousKeychain })

async function choose(text: string, tag = 'multi'): Promise<number> {
  const image = await resolveImage(content, { kind: 'tag', ...APP, tag })
  return digests.indexOf((await imageForPlatform(content, image, text)).descriptor.digest)
}

for (const [text, index] of [
  ['linux/amd64', 0],
  ['linux/arm64', 1],
  ['linux/arm64/v8', 1],
  ['linux/arm/v7', 3],
  ['windows/amd64:10.0.20348.2', 5],
  ['windows/amd64:10.0.20348', 5],
  ['windows:10.0.17763', 4],
] as const) {
  test(`${text} is one image`, async () => {
    assert.equal(await choose(text), index)
  })
}

for (const [text, why] of [
  ['linux/arm', 'two variants'],
  ['linux', 'several'],
  ['windows/amd64', 'two versions'],
  ['windows/amd64:10.0', 'half a version'],
  ['linux/amd64:10.0.20348', 'a version that it does not have'],
  ['linux/s390x', 'none'],
  ['linux/arm64/v9', 'another variant'],
  ['plan9/amd64', 'another system'],
  ['', 'nothing'],
  ['/', 'nothing'],
  ['linux/', 'half'],
  ['linux/arm/v7/x', 'too much'],
  ['linux amd64', 'no platform'],
] as const) {
  test(`"${text}" is refused: ${why}`, async () => {
    await assert.rejects(choose(text), { code: 'IMAGES_PLATFORM' })
  })
}

test('an image that is none of many has no platforms to choose from', async () => {
  await assert.rejects(choose('linux/amd64', 'single'), { code: 'IMAGES_PLATFORM' })
})

test('any text chooses an image or is refused with a code', async () => {
  const words = fc.constantFrom('linux', 'windows', 'amd64', 'arm', 'v7', '/', ':', '10.0.17763', '.')
  const texts = fc.oneof(
    fc.string(),
    fc.array(words, { maxLength: 7 }).map((all) => all.join('')),
  )
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      try {
        assert.ok((await choose(text)) >= 0)
      } catch (error) {
        assert.ok(isCodedError(error), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
