import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  fulcioHandler,
  initializeCA,
  initializeCTLog,
  initializeTLog,
  rekorHandler,
  rekorV2Handler,
} from '@sigstore/mock'
import type { HandlerFn } from '@sigstore/mock'
import { startWorld } from './world.js'
import type { World } from './world.js'

// Fulcio, CT log, Rekor v1 and v2 as sigstore-js writes them for its own tests: another's code on the other end of the wire.
let world: World
let server: Server
let services: string

before(async () => {
  world = await startWorld()
  await writeFile(join(world.folder, 'blob'), 'a file\n')
  const handlers = new Map<string, HandlerFn>()
  server = createServer((request, response) => {
    const handler = handlers.get(request.url ?? '')
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      void handler?.(Buffer.concat(chunks).toString('utf8')).then((answer) => {
        response
          .writeHead(answer.statusCode, { 'content-type': answer.contentType ?? 'text/plain' })
          .end(answer.response)
      })
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  services = `http://localhost:${String((server.address() as AddressInfo).port)}`
  await writeTrust(handlers)
})
after(async () => {
  server.close()
  await world.stop()
})

/** Makes the foreign services, and the files that tell a client about them. */
async function writeTrust(handlers: Map<string, HandlerFn>): Promise<void> {
  const pair = (): ReturnType<typeof generateKeyPairSync> => generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const ctLog = await initializeCTLog(pair())
  const ca = await initializeCA(pair(), ctLog)
  const log = await initializeTLog(services, pair())
  for (const handler of [fulcioHandler(ca), rekorHandler(log), rekorV2Handler(log)])
    handlers.set(handler.path, handler.fn)
  const start = '2020-01-01T00:00:00Z'
  const key = (spki: Uint8Array, baseUrl: string): unknown => ({
    baseUrl,
    hashAlgorithm: 'SHA2_256',
    publicKey: { rawBytes: base64(spki), keyDetails: 'PKIX_ECDSA_P256_SHA_256', validFor: { start } },
    logId: { keyId: createHash('sha256').update(spki).digest('base64') },
  })
  const own = JSON.parse(await readFile(world.trustedRoot, 'utf8')) as { readonly timestampAuthorities: unknown }
  const trustedRoot = {
    mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
    tlogs: [key(log.publicKey, services)],
    ctlogs: [key(ctLog.publicKey, services)],
    certificateAuthorities: [
      {
        subject: { organization: 'sigstore.mock', commonName: 'sigstore' },
        uri: services,
        certChain: { certificates: [{ rawBytes: base64(new Uint8Array(ca.rootCertificate.buffer)) }] },
        validFor: { start },
      },
    ],
    timestampAuthorities: own.timestampAuthorities,
  }
  await writeFile(join(world.folder, 'foreign-root.json'), JSON.stringify(trustedRoot))
  for (const version of [1, 2]) {
    const service = (url: string, majorApiVersion: number): unknown => [
      { url, majorApiVersion, validFor: { start }, operator: 'mock' },
    ]
    const config = {
      mediaType: 'application/vnd.dev.sigstore.signingconfig.v0.2+json',
      caUrls: service(services, 1),
      oidcUrls: service(world.issuer, 1),
      rekorTlogUrls: service(services, version),
      rekorTlogConfig: { selector: 'ANY' },
      tsaUrls: service(`${world.url}/api/v1/timestamp`, 1),
      tsaConfig: { selector: 'ANY' },
    }
    await writeFile(join(world.folder, `foreign-v${String(version)}.json`), JSON.stringify(config))
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

test('signs with a foreign Fulcio and a foreign Rekor v1, and verifies what came of it', async () => {
  const token = await world.token('alice@example.com')
  const bundle = 'foreign.sigstore.json'
  const trust = ['--trusted-root', 'foreign-root.json']
  const args = [
    'sign-blob',
    '-y',
    '--signing-config',
    'foreign-v1.json',
    ...trust,
    '--identity-token',
    token,
    '--bundle',
    bundle,
    'blob',
  ]
  const signed = await world.client('countersign', args)
  assert.equal(signed.code, 0, signed.stderr)
  const verify = (...more: readonly string[]): ReturnType<World['client']> =>
    world.client('countersign', [
      'verify-blob',
      '--bundle',
      bundle,
      '--certificate-oidc-issuer',
      world.issuer,
      ...more,
      'blob',
    ])
  const verified = await verify(...trust, '--certificate-identity', 'alice@example.com')
  assert.equal(verified.code, 0, verified.stderr)
  assert.notEqual((await verify(...trust, '--certificate-identity', 'mallory@example.com')).code, 0, 'another identity')
  assert.notEqual(
    (await verify('--trusted-root', world.trustedRoot, '--certificate-identity', 'alice@example.com')).code,
    0,
    'another root',
  )
})

test('keeps nothing of a Rekor v2 whose answer contradicts itself (this one shows a random index)', async () => {
  const token = await world.token('alice@example.com')
  const trust = ['--trusted-root', 'foreign-root.json']
  const args = [
    'sign-blob',
    '-y',
    '--signing-config',
    'foreign-v2.json',
    ...trust,
    '--identity-token',
    token,
    '--bundle',
    'none.json',
  ]
  const { code, stderr } = await world.client('countersign', [...args, 'blob'])
  assert.equal(code, 1, stderr)
  assert.equal(existsSync(join(world.folder, 'none.json')), false)
})
