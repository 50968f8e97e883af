import assert from 'node:assert/strict'
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pushImage } from './registry.js'
import { startWorld } from './world.js'
import type { Client, World } from './world.js'

const USER = 'alice@example.com'
const JUDGES: readonly Client[] = ['countersign', 'cosign3']

let world: World
let who: readonly string[]

before(async () => {
  world = await startWorld()
  who = ['--certificate-identity', USER, '--certificate-oidc-issuer', world.issuer]
  await writeFile(join(world.folder, 'blob'), 'a file\n')
})
after(async () => {
  await world.stop()
})

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }

/** The base64 fields of a bundle that a verifier has to look at, by their names. */
const FIELDS = [
  'verificationMaterial.certificate.rawBytes',
  'verificationMaterial.tlogEntries.0.canonicalizedBody',
  'verificationMaterial.tlogEntries.0.inclusionProof.rootHash',
  'verificationMaterial.timestampVerificationData.rfc3161Timestamps.0.signedTimestamp',
  'messageSignature.signature',
  'messageSignature.messageDigest.digest',
]

/** cosign 3 does not read these fields of Rekor v2 entries: it has the root from the checkpoint and builds the body anew. */
const UNREAD_BY_COSIGN = new Set([
  'verificationMaterial.tlogEntries.0.canonicalizedBody',
  'verificationMaterial.tlogEntries.0.inclusionProof.rootHash',
])

/** A copy of a bundle in which one byte of a field has one bit changed. */
function damaged(bundle: Json, field: string, at: (length: number) => number): Json {
  const copy = structuredClone(bundle)
  const names = field.split('.')
  const last = names.pop() ?? ''
  let place = copy as Record<string, Json>
  for (const name of names) place = place[name] as Record<string, Json>
  const bytes = Buffer.from(place[last] as string, 'base64')
  const index = at(bytes.length)
  bytes[index] = (bytes[index] ?? 0) ^ 1
  place[last] = bytes.toString('base64')
  return copy
}

for (const signer of ['countersign', 'cosign3'] as const) {
  test(`one changed bit anywhere in a bundle of ${signer} is refused by both sides`, async () => {
    const token = await world.token(USER)
    const signed = await world.client(signer, [
      'sign-blob',
      '-y',
      '--identity-token',
      token,
      '--bundle',
      `${signer}.json`,
      'blob',
    ])
    assert.equal(signed.code, 0, signed.stderr)
    const bundle = JSON.parse(await readFile(join(world.folder, `${signer}.json`), 'utf8')) as Json
    const verify = async (judge: Client, file: string): Promise<number> =>
      (await world.client(judge, ['verify-blob', '--bundle', file, ...who, 'blob'])).code
    for (const judge of JUDGES) assert.equal(await verify(judge, `${signer}.json`), 0, judge)
    for (const field of FIELDS) {
      for (const part of [0.2, 0.5, 0.97]) {
        await writeFile(
          join(world.folder, 'damaged.json'),
          JSON.stringify(damaged(bundle, field, (length) => Math.floor(length * part))),
        )
        for (const judge of UNREAD_BY_COSIGN.has(field) ? (['countersign'] as const) : JUDGES)
          assert.notEqual(await verify(judge, 'damaged.json'), 0, `${judge}: ${field} at ${String(part)}`)
      }
    }
  })
}

test('a changed byte in what the registry keeps is refused by both sides', async () => {
  const image = await pushImage(world.registry, 'damage/image', 'contents')
  const signed = await world.client('countersign', ['sign', '-y', '--identity-token', await world.token(USER), image])
  assert.equal(signed.code, 0, signed.stderr)
  const verify = async (judge: Client): Promise<number> => (await world.client(judge, ['verify', ...who, image])).code
  for (const judge of JUDGES) assert.equal(await verify(judge), 0, judge)
  const stored = await filesHolding(
    join(world.folder, 'sigstore', 'registry'),
    'application/vnd.dev.sigstore.bundle.v0.3+json',
  )
  assert.ok(stored.length > 0)
  for (const path of stored) {
    const whole = await readFile(path)
    const changed = Buffer.from(whole)
    const at = Math.floor(whole.length / 2)
    changed[at] = (changed[at] ?? 0) ^ 1
    await writeFile(path, changed)
    for (const judge of JUDGES) assert.notEqual(await verify(judge), 0, `${judge}: ${path}`)
    await writeFile(path, whole)
  }
  for (const judge of JUDGES) assert.equal(await verify(judge), 0, judge)
})

async function filesHolding(folder: string, text: string): Promise<readonly string[]> {
  const found: string[] = []
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile() && (await readFile(path)).includes(text)) found.push(path)
  }
  return found
}
