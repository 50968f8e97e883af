/** A private Sigstore, a registry with an image, and commands that run against them in this process. @module */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeSigningConfig } from '#formats/signing-config/serialize'
import type { SigningConfig } from '#formats/signing-config/signing-config'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import type { Command } from '#cli/kit/command'
import { runCommand } from '#cli/kit/run'
import { startVirtualSigstore, type VirtualSigstore, type VirtualSigstoreOptions } from '../virtual-sigstore.js'
import { fakeHost, type FakeHost, type FakeHostOptions } from './fake-host.js'

export interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
  readonly host: FakeHost
}

export interface SigningBench {
  readonly sigstore: VirtualSigstore
  readonly issuer: string
  /** Requests made so far, `METHOD path`. */
  readonly requests: string[]
  /** Pushes an image of its own and gives `registry/name@sha256:…`. */
  pushImage(name: string): Promise<string>
  /** Pushes an index of the images named. */
  pushIndex(name: string, images: readonly string[]): Promise<string>
  /** The files that the next command finds, by name. */
  files(): Readonly<Record<string, string | Uint8Array>>
  /** Runs a command; files of one run are there for the next one. */
  run(command: Command, words: readonly string[], options?: BenchRunOptions): Promise<Outcome>
}

export interface BenchRunOptions extends FakeHostOptions {
  /** Given the host before the command runs. */
  readonly onHost?: (host: FakeHost) => void
}

/** Files that every command finds: `root.json`, `config.json` (Rekor v2), `config-v1.json`, `config-nolog.json`, `token`. */
export async function openSigningBench(options: VirtualSigstoreOptions = {}): Promise<SigningBench> {
  const sigstore = await startVirtualSigstore(options)
  const requests: string[] = []
  let files: Record<string, string | Uint8Array> = {
    'root.json': serializeTrustedRoot(sigstore.trustedRoot),
    'config.json': configText(sigstore.signingConfig, 2),
    'config-v1.json': configText(sigstore.signingConfig, 1),
    'config-nolog.json': configText(sigstore.signingConfig, undefined),
    token: await sigstore.token('ann@example.com'),
  }
  const fetch: VirtualSigstore['fetch'] = async (url, init) => {
    requests.push(`${init?.method ?? 'GET'} ${new URL(url).pathname}`)
    return await sigstore.fetch(url, init)
  }
  return {
    sigstore,
    issuer: sigstore.issuer,
    requests,
    pushImage: async (name) => await pushImage(sigstore, name),
    pushIndex: async (name, images) => await pushIndex(sigstore, name, images),
    files: () => files,
    run: async (command, words, given = {}) => {
      const host = fakeHost({
        fetch,
        now: sigstore.clock(),
        ...given,
        files: { ...files, ...given.files },
        environment: { COSIGN_PASSWORD: 'secret', ...given.environment },
      })
      given.onHost?.(host)
      const code = await runCommand(command, words, host)
      files = Object.fromEntries(host.paths().map((path) => [path, host.content(path)]))
      return { code, stdout: host.stdout(), stderr: host.stderr(), host }
    },
  }
}

function configText(config: SigningConfig, version: number | undefined): string {
  const rekorTlogUrls = config.rekorTlogUrls.filter(({ majorApiVersion }) => majorApiVersion === version)
  return serializeSigningConfig({
    ...config,
    rekorTlogUrls,
    rekorTlogConfig: rekorTlogUrls.length === 0 ? undefined : config.rekorTlogConfig,
  })
}

async function put(sigstore: VirtualSigstore, path: string, body: Uint8Array, type: string): Promise<void> {
  const response = await sigstore.fetch(`${sigstore.url}${path}`, {
    method: 'PUT',
    body,
    headers: { 'content-type': type },
  })
  if (response.status !== 201) throw new Error(`PUT ${path}: ${String(response.status)}`)
}

async function pushBlob(sigstore: VirtualSigstore, name: string, bytes: Uint8Array): Promise<string> {
  const digest = `sha256:${encodeHex(sha256(bytes))}`
  const response = await sigstore.fetch(`${sigstore.url}/v2/${name}/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    body: bytes,
    headers: { 'content-type': 'application/octet-stream' },
  })
  if (response.status !== 201) throw new Error(`pushing a blob: ${String(response.status)}`)
  return digest
}

const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const INDEX = 'application/vnd.oci.image.index.v1+json'
let serial = 0

async function pushImage(sigstore: VirtualSigstore, name: string): Promise<string> {
  const config = encodeUtf8(JSON.stringify({ architecture: 'amd64', os: 'linux', serial: serial++ }))
  const digest = await pushBlob(sigstore, name, config)
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', size: config.length, digest },
    layers: [],
  }
  return await pushManifest(sigstore, name, { type: MANIFEST, document: manifest })
}

async function pushIndex(sigstore: VirtualSigstore, name: string, images: readonly string[]): Promise<string> {
  const manifests = await Promise.all(
    images.map(async (image) => {
      const digest = image.slice(image.indexOf('@') + 1)
      const response = await sigstore.fetch(`${sigstore.url}/v2/${name}/manifests/${digest}`)
      return { mediaType: MANIFEST, digest, size: (await response.arrayBuffer()).byteLength }
    }),
  )
  return await pushManifest(sigstore, name, {
    type: INDEX,
    document: { schemaVersion: 2, mediaType: INDEX, manifests },
  })
}

async function pushManifest(
  sigstore: VirtualSigstore,
  name: string,
  { type, document }: { readonly type: string; readonly document: unknown },
): Promise<string> {
  const bytes = encodeUtf8(JSON.stringify(document))
  const digest = `sha256:${encodeHex(sha256(bytes))}`
  await put(sigstore, `/v2/${name}/manifests/${digest}`, bytes, type)
  await put(sigstore, `/v2/${name}/manifests/latest`, bytes, type)
  return `${sigstore.registry}/${name}@${digest}`
}
