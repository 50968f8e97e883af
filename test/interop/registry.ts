/** A reference registry without the referrers API, and images to put into any registry. @module */
import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve } from './processes.js'

/** A registry that is running on loopback. */
export interface RunningRegistry {
  /** host:port */
  readonly host: string
  stop(): Promise<void>
}

/** Starts the reference implementation (distribution 2.8), which has no referrers API. */
export async function startDockerRegistry(): Promise<RunningRegistry> {
  const folder = await mkdtemp(join(tmpdir(), 'interop-registry-'))
  const port = await freePort()
  const config = join(folder, 'config.yml')
  const storage = `storage:\n  filesystem:\n    rootdirectory: ${join(folder, 'data')}\n  delete:\n    enabled: true\n`
  await writeFile(config, `version: 0.1\nlog:\n  level: error\n${storage}http:\n  addr: 127.0.0.1:${String(port)}\n`)
  const host = `127.0.0.1:${String(port)}`
  const server = await serve('docker-registry', ['serve', config], async () => {
    const response = await fetch(`http://${host}/v2/`).catch(() => undefined)
    return response?.ok === true ? host : undefined
  })
  return {
    host,
    async stop() {
      await server.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Pushes a small image whose one layer holds `contents`. Returns `host/name@sha256:…`. */
export async function pushImage(host: string, name: string, contents: string): Promise<string> {
  const layer = Buffer.from(contents)
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  )
  for (const blob of [layer, config]) await pushBlob(host, name, blob)
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', size: config.length, digest: digestOf(config) },
      layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', size: layer.length, digest: digestOf(layer) }],
    }),
  )
  await expectOk(`http://${host}/v2/${name}/manifests/latest`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.oci.image.manifest.v1+json' },
    body: manifest,
  })
  return `${host}/${name}@${digestOf(manifest)}`
}

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function pushBlob(host: string, name: string, blob: Uint8Array): Promise<void> {
  const start = await expectOk(`http://${host}/v2/${name}/blobs/uploads/`, { method: 'POST' })
  const location = new URL(start.headers.get('location') ?? '', `http://${host}`)
  location.searchParams.set('digest', digestOf(blob))
  await expectOk(location.href, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, body: blob })
}

async function expectOk(url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, init)
  if (!response.ok)
    throw new Error(`${init.method ?? 'GET'} ${url}: ${String(response.status)} ${await response.text()}`)
  return response
}
