/**
 * A private Sigstore from nothing to ready, what a write to each service takes, and an image from signing to verified.
 * Wall times of whole processes where there is one. Against real cosign in the same run, if it is on PATH.
 * @module
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { sha256 } from '#crypto/digest'
import { generatePrivateKey } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { randomBytes } from '#crypto/random'
import { encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { countersign, startUp } from '../test/e2e/up-process.js'
import type { UpProcess } from '../test/e2e/up-process.js'
import { median } from './statistics.js'

const STARTS = 7
const REQUESTS = 60
const ROUNDS = 7
const SIGNER = 'ann@example.com'
const INDEX = 'application/vnd.oci.image.index.v1+json'
const place = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'countersign-bench-'))

try {
  await starts()
  const up = await startUp(['--data', join(place, 'data'), '--port', '0'])
  try {
    await services(up)
    await images(up)
  } finally {
    await up.stop()
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}

async function starts(): Promise<void> {
  const times: Record<string, number[]> = {
    'first start': [],
    'started again': [],
    'first start, with a password': [],
    'again, with a password': [],
  }
  const password = { COUNTERSIGN_PASSWORD: 'correct horse' }
  for (let round = 0; round < STARTS; round++) {
    for (const [label, env] of [
      ['', {}],
      [', with a password', password],
    ] as const) {
      const args = ['--data', join(place, `start-${String(round)}${label === '' ? '' : '-p'}`), '--port', '0']
      for (const when of label === ''
        ? ['first start', 'started again']
        : ['first start, with a password', 'again, with a password']) {
        const up = await startUp(args, env)
        times[when]?.push(up.readyMillis)
        await up.stop()
      }
    }
  }
  console.log('countersign up, process start to ready (ms)')
  for (const [name, values] of Object.entries(times)) line(name, values)
}

/** Each answer is durable before it comes: a log's has its proof in it, a certificate its SCT. */
async function services(up: UpProcess): Promise<void> {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const token = (await countersign(['token', '--data', up.directory, SIGNER])).stdout.trim()
  const proofOfPossession = encodeBase64(await key.sign(encodeUtf8(SIGNER)))
  const publicKeyPem = publicKeyToPem(key.publicKey)
  const writes: Record<string, () => Promise<unknown>> = {
    'Fulcio certificate with SCT': () =>
      post(`${up.url}/api/v2/signingCert`, {
        credentials: { oidcIdentityToken: token },
        publicKeyRequest: { publicKey: { algorithm: 'ECDSA', content: publicKeyPem }, proofOfPossession },
      }),
    'Rekor v1 entry with proof': async () => {
      const data = randomBytes(16)
      const signature = {
        content: encodeBase64(await key.sign(data)),
        publicKey: { content: encodeBase64(encodeUtf8(publicKeyPem)) },
      }
      const spec = { data: { hash: { algorithm: 'sha256', value: encodeHex(sha256(data)) } }, signature }
      await post(`${up.url}/api/v1/log/entries`, { apiVersion: '0.0.1', kind: 'hashedrekord', spec })
    },
    'Rekor v2 entry with proof': async () => {
      const data = randomBytes(16)
      const verifier = {
        publicKey: { rawBytes: encodeBase64(key.publicKey.spki) },
        keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      }
      const signature = { content: encodeBase64(await key.sign(data)), verifier }
      await post(`${up.url}/api/v2/log/entries`, {
        hashedRekordRequestV002: { digest: encodeBase64(sha256(data)), signature },
      })
    },
    'time-stamp': () =>
      post(`${up.url}/api/v1/timestamp`, {
        artifactHash: encodeBase64(sha256(randomBytes(16))),
        hashAlgorithm: 'sha256',
        certificates: true,
      }),
  }
  console.log('\none request at a time, over a socket (ms)')
  for (const [name, write] of Object.entries(writes)) {
    for (let warm = 0; warm < 10; warm++) await write()
    line(name, await timed(REQUESTS, write))
  }
}

async function images(up: UpProcess): Promise<void> {
  const env = { TUF_ROOT: join(place, 'client'), HOME: place, DOCKER_CONFIG: place }
  await must(['initialize', '--mirror', up.tuf.mirror, '--root', up.tuf.root], env)
  const token = (await countersign(['token', '--data', up.directory, SIGNER])).stdout.trim()
  const pinned = ['--certificate-identity', SIGNER, '--certificate-oidc-issuer', up.issuer]
  const cosign = findProgram('cosign3', 'cosign')
  const peerEnv = { ...env, TUF_ROOT: join(place, 'cosign') }
  if (cosign !== undefined) peer(cosign, ['initialize', '--mirror', up.tuf.mirror, '--root', up.tuf.root], peerEnv)
  const times: Record<string, number[]> = {
    'countersign sign': [],
    'countersign verify': [],
    'cosign sign': [],
    'cosign verify': [],
  }
  const measure = async (name: string, run: () => unknown): Promise<void> => {
    const started = performance.now()
    await run()
    times[name]?.push(performance.now() - started)
  }
  for (let round = 0; round < ROUNDS; round++) {
    const [ours, theirs] = [await pushImage(up), await pushImage(up)]
    await measure('countersign sign', () => must(['sign', '--yes', '--identity-token', token, ours], env))
    await measure('countersign verify', () => must(['verify', ...pinned, ours], env))
    if (cosign === undefined) continue
    await measure('cosign sign', () => {
      peer(cosign, ['sign', '--yes', '--identity-token', token, theirs], peerEnv)
    })
    await measure('cosign verify', () => {
      peer(cosign, ['verify', ...pinned, theirs], peerEnv)
    })
  }
  console.log('\na keyless image, whole processes, trust through TUF on loopback (ms)')
  for (const [name, values] of Object.entries(times)) if (values.length > 0) line(name, values)
  const total = (who: string): number => median(times[`${who} sign`] ?? []) + median(times[`${who} verify`] ?? [])
  console.log(`sign to verified: ${total('countersign').toFixed(0)} ms`)
  if (cosign === undefined) console.log('no cosign on PATH: no ratio')
  else console.log(`against cosign in the same run: ${(total('countersign') / total('cosign')).toFixed(2)}`)
}

async function pushImage(up: UpProcess): Promise<string> {
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [],
    annotations: { n: encodeHex(randomBytes(8)) },
  })
  const digest = `sha256:${encodeHex(sha256(encodeUtf8(body)))}`
  const { status } = await fetch(`${up.url}/v2/bench/app/manifests/${digest}`, {
    method: 'PUT',
    headers: { 'content-type': INDEX },
    body,
  })
  if (status !== 201) throw new Error(`the registry answered ${String(status)}`)
  return `${up.registry}/bench/app@${digest}`
}

async function post(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await response.arrayBuffer()
  if (response.status >= 300) throw new Error(`${url} answered ${String(response.status)}`)
}

async function must(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { code, stderr } = await countersign(args, env)
  if (code !== 0) throw new Error(`countersign ${args[0] ?? ''}: ${stderr}`)
}

function peer(program: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, stderr } = spawnSync(program, args, { env: { ...process.env, ...env }, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args[0] ?? ''}: ${stderr}`)
}

async function timed(count: number, run: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < count; round++) {
    const started = performance.now()
    await run()
    times.push(performance.now() - started)
  }
  return times
}

function findProgram(...names: readonly string[]): string | undefined {
  const places = (process.env['PATH'] ?? '').split(delimiter)
  return names.flatMap((name) => places.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

function line(name: string, values: readonly number[]): void {
  console.log(
    `  ${name.padEnd(30)} median ${median(values).toFixed(1).padStart(7)}   min ${Math.min(...values)
      .toFixed(1)
      .padStart(7)}   max ${Math.max(...values)
      .toFixed(1)
      .padStart(7)}`,
  )
}
