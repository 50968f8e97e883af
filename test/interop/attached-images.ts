/** Images with things attached to them, in two registries, and the clients that move and verify them. @module */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Finished } from './processes.js'
import { digestOf, pushImage, startDockerRegistry, type RunningRegistry } from './registry.js'
import { startWorld, type Client, type World } from './world.js'

export let world: World
export let plain: RunningRegistry
let serial = 0

/** Starts everything, once a file of tests. */
export async function startAll(): Promise<void> {
  world = await startWorld()
  plain = await startDockerRegistry()
  assert.equal((await world.client('countersign', ['generate-key-pair'])).code, 0)
  await writeFile(join(world.folder, 'predicate.json'), '{"built":"here"}')
  const oidc = [
    { url: world.issuer, majorApiVersion: 1, validFor: { start: '2020-01-01T00:00:00Z' }, operator: 'test' },
  ]
  const service = (url: string): unknown => [{ ...oidc[0], url }]
  await writeFile(
    signingConfig(),
    JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: service(world.url),
      oidcUrls: oidc,
      rekorTlogUrls: service(world.url),
      rekorTlogConfig: { selector: 'ANY' },
      tsaConfig: { selector: 'ANY' },
    }),
  )
}

export async function stopAll(): Promise<void> {
  await plain.stop()
  await world.stop()
}

export const REGISTRIES = {
  'with the referrers API': (): string => world.registry,
  'without it': (): string => plain.host,
} as const

export type Layout = 'bundle' | 'legacy'

export async function ok(
  client: Client,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Finished> {
  const finished = await world.client(client, args, { env })
  assert.equal(finished.code, 0, `${client} ${args.join(' ')}\n${finished.stderr}`)
  return finished
}

export async function newImage(host: string): Promise<string> {
  serial += 1
  return await pushImage(host, `moving/image-${String(serial)}`, `moving ${String(serial)}`)
}

/** A place that nothing is at yet. */
export function newName(host: string): string {
  serial += 1
  return `${host}/moved/image-${String(serial)}`
}

export function newFolder(): string {
  serial += 1
  return join(world.folder, `saved-${String(serial)}`)
}

export async function sign(image: string, layout: Layout, ...more: readonly string[]): Promise<void> {
  const old = [
    '--new-bundle-format=false',
    '--use-signing-config=false',
    '--fulcio-url',
    world.url,
    '--rekor-url',
    world.url,
  ]
  const flags = ['-y', '--key', 'cosign.key', ...(layout === 'legacy' ? old : []), ...more]
  await ok('cosign3', ['sign', ...flags, image])
}

export async function attest(image: string, layout: Layout): Promise<void> {
  const old = ['--new-bundle-format=false', '--use-signing-config=false', '--rekor-url', world.url]
  const flags = ['-y', '--key', 'cosign.key', '--predicate', 'predicate.json', ...(layout === 'legacy' ? old : [])]
  await ok('cosign3', ['attest', ...flags, image])
}

export const WITH_KEY = ['--key', 'cosign.pub'] as const

export async function verified(
  client: Client,
  what: 'verify' | 'verify-attestation',
  ...words: readonly string[]
): Promise<boolean> {
  return (await world.client(client, [what, ...WITH_KEY, ...words])).code === 0
}

export function verifiersOf(layout: Layout): readonly Client[] {
  return layout === 'bundle' ? ['countersign', 'cosign3'] : ['countersign', 'cosign3', 'cosign2']
}

export async function assertVerified(layout: Layout, name: string): Promise<void> {
  for (const client of verifiersOf(layout)) {
    assert.ok(await verified(client, 'verify', name), `${client} verify ${name}`)
    assert.ok(await verified(client, 'verify-attestation', name), `${client} verify-attestation ${name}`)
  }
}

/** An index of images for two platforms, in the repository of the first. */
export async function pushIndex(images: readonly string[]): Promise<string> {
  const [name = ''] = images[0]?.split('@') ?? []
  const url = (reference: string): string => `http://${name.replace('/', '/v2/')}/manifests/${reference}`
  const manifests = await Promise.all(
    images.map(async (image, index) => {
      const digest = image.slice(image.indexOf('@') + 1)
      const mediaType = 'application/vnd.oci.image.manifest.v1+json'
      const bytes = await (await fetch(url(digest), { headers: { accept: mediaType } })).arrayBuffer()
      return {
        mediaType,
        digest,
        size: bytes.byteLength,
        platform: { os: 'linux', architecture: ['amd64', 'arm64'][index] },
      }
    }),
  )
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, manifests }))
  const response = await fetch(url('multi'), { method: 'PUT', headers: { 'content-type': mediaType }, body })
  assert.ok(response.ok)
  return `${name}@${digestOf(body)}`
}

export async function newIndex(
  host: string,
): Promise<{ readonly index: string; readonly platforms: readonly string[] }> {
  serial += 1
  const name = `moving/index-${String(serial)}`
  const platforms = [await pushImage(host, name, `amd64 ${name}`), await pushImage(host, name, `arm64 ${name}`)]
  return { index: await pushIndex(platforms), platforms }
}

export function at(name: string, image: string): string {
  return `${name}@${image.slice(image.indexOf('@') + 1)}`
}

/** A configuration with Rekor v1, which the old format needs. */
export function signingConfig(): string {
  return join(world.folder, 'signing_config_v1.json')
}
