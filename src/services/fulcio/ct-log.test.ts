import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FetchResponse } from '#clients/http/fetch'
import { generatePrivateKey } from '#crypto/private-key'
import { encodeBase64 } from '#encoding/base64'
import { parseSct } from '#formats/sct/sct'
import { precertEntry } from '#formats/sct/sct-entry'
import { verifySct } from '#formats/sct/verify-sct'
import { POISON_EXTENSION } from '#formats/x509/extension-writers'
import { MemoryStorage } from '#tlog/memory/memory-storage'
import { TEST_TIME, intermediateSpec, issueCertificate, leafSpec, rootSpec } from '#testing/pki/certificate'
import { ctLogRoutes } from '../ctlog/routes.js'
import { openCtLog } from '../ctlog/ctlog.js'
import { fetchInProcess } from '#serving/in-process'
import { router } from '#serving/routes'
import { remoteCtLog } from './ct-log.js'

const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
const root = await issueCertificate(rootSpec())
const intermediate = await issueCertificate(intermediateSpec(), root)
const precertificate = await issueCertificate(leafSpec({ extraExtensions: [POISON_EXTENSION] }), intermediate)
const chain = [precertificate, intermediate, root].map(({ certificate }) => certificate.der)

test('a real CT log takes the precertificate, and its SCT verifies', async () => {
  let now = TEST_TIME
  const log = await openCtLog({
    storage: new MemoryStorage(),
    key,
    origin: 'ct.test.example',
    roots: [root.certificate.der],
    clock: () => (now += 1000),
    wait: () => Promise.resolve(),
  })
  const port = remoteCtLog({ url: 'http://ct/', key: key.publicKey, fetch: fetchInProcess(router(ctLogRoutes(log))) })
  const sct = parseSct(await port.submitPrecertificate(chain))
  await verifySct(sct, precertEntry(precertificate.certificate, intermediate.key.publicKey.spki), key.publicKey)
  await assert.rejects(port.submitPrecertificate(chain.slice(0, 1)), { code: 'ISSUING_CT_LOG' })
})

const signature = encodeBase64(Uint8Array.of(4, 3, 0, 1, 9))
const good = { sct_version: 0, id: encodeBase64(new Uint8Array(32)), timestamp: 1, extensions: '', signature }

test('sends the chain to add-pre-chain, and reads the answer', async () => {
  const asked: { url: string; body: unknown }[] = []
  const port = remoteCtLog({
    url: 'https://ct.example/2025/',
    key: key.publicKey,
    fetch: (url, init) => {
      asked.push({ url, body: JSON.parse(typeof init?.body === 'string' ? init.body : '') })
      return Promise.resolve(Response.json(good))
    },
  })
  const sct = parseSct(await port.submitPrecertificate([Uint8Array.of(1), Uint8Array.of(2)]))
  assert.deepEqual(asked, [{ url: 'https://ct.example/2025/ct/v1/add-pre-chain', body: { chain: ['AQ==', 'Ag=='] } }])
  assert.deepEqual(sct.signature, Uint8Array.of(9))
})

const REFUSED: readonly (readonly [name: string, answer: () => FetchResponse])[] = [
  ['another status', () => Response.json(good, { status: 503 })],
  ['a list', () => Response.json([])],
  ['version 2', () => Response.json({ ...good, sct_version: 1 })],
  ['no id', () => Response.json({ ...good, id: undefined })],
  ['a time of text', () => Response.json({ ...good, timestamp: '1' })],
  ['an id that is not base64', () => Response.json({ ...good, id: '*' })],
  ['a signature cut short', () => Response.json({ ...good, signature: 'BAMA' })],
  [
    'a signature with a tail',
    () => Response.json({ ...good, signature: encodeBase64(Uint8Array.of(4, 3, 0, 1, 9, 9)) }),
  ],
]
for (const [name, answer] of REFUSED) {
  test(`refuses an answer with ${name}`, async () => {
    const port = remoteCtLog({ url: 'https://ct.example', key: key.publicKey, fetch: () => Promise.resolve(answer()) })
    await assert.rejects(port.submitPrecertificate(chain), { code: 'ISSUING_CT_LOG' })
  })
}
