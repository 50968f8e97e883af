/** Whatever byte of a bundle is changed: it is refused, or it still means the same. @module */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { encodeHex } from '#encoding/hex'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { parseBundle } from '#formats/bundle/parse'
import { serializeBundle } from '#formats/bundle/serialize'
import { fuzzRuns } from '#testing/fuzz'
import { createTestPki } from '#testing/pki/pki'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import type { SignedArtifact } from '#testing/pki/signed-entity'
import { requestFor } from '#testing/verifying'
import type { Verification } from './verification.js'
import { verify } from './verify.js'

const pki = await createTestPki()
const timestamps = [{ embed: 'none' as const }]
const SIGNED: readonly SignedArtifact[] = await Promise.all([
  signMessage(pki, { logs: [{ shape: 'v1-hashedrekord' }] }),
  signMessage(pki, { logs: [{ shape: 'v2-hashedrekord' }], timestamps }),
  signStatement(pki, { logs: [{ shape: 'v1-dsse' }] }),
  signStatement(pki, { logs: [{ shape: 'v2-hashedrekord' }], timestamps }),
])

/** Who signed what, when, according to whom: all that a caller could act on. */
function meaning({ signer, algorithm, content, times, logEntries, certificateLogs }: Verification): unknown {
  return {
    signer:
      signer.kind === 'certificate'
        ? [encodeHex(signer.certificate.der), signer.identity, signer.matched]
        : encodeHex(signer.key.spki),
    algorithm: algorithm.name,
    content: content.kind === 'statement' ? content : 'message',
    times: times.map(({ at, description }) => [at, description]),
    logs: logEntries.map(({ log, entry, promisedAt, inclusion }) => [
      log.baseUrl,
      encodeHex(entry.logId),
      entry.logIndex,
      encodeHex(entry.canonicalizedBody),
      promisedAt,
      inclusion,
    ]),
    certificateLogs: certificateLogs.map((log) => log.baseUrl),
  }
}

async function outcome(signed: SignedArtifact, bytes: Uint8Array): Promise<unknown> {
  try {
    return meaning(await verify({ ...requestFor(signed, pki.trusted), entity: parseBundle(bytes) }))
  } catch (error) {
    assert.ok(isCodedError(error), `a crash, not a refusal: ${String(error instanceof Error ? error.stack : error)}`)
    return 'refused'
  }
}

test('one bit changed anywhere in a bundle', async () => {
  const originals = SIGNED.map((signed) => encodeUtf8(serializeBundle(signed.entity)))
  const meanings = await Promise.all(SIGNED.map((signed, index) => outcome(signed, originals[index]!)))
  assert.ok(meanings.every((each) => each !== 'refused'))
  const place = fc
    .integer({ min: 0, max: SIGNED.length - 1 })
    .chain((which) =>
      fc.tuple(
        fc.constant(which),
        fc.integer({ min: 0, max: originals[which]!.length - 1 }),
        fc.integer({ min: 0, max: 7 }),
      ),
    )
  await fc.assert(
    fc.asyncProperty(place, async ([which, at, bit]) => {
      const bytes = originals[which]!.slice()
      bytes[at]! ^= 1 << bit
      const after = await outcome(SIGNED[which]!, bytes)
      if (after !== 'refused') assert.deepEqual(after, meanings[which], `byte ${String(at)}, bit ${String(bit)}`)
    }),
    { numRuns: 10 * fuzzRuns() },
  )
})

/** Every byte string of an entity, by where it stands. */
function* byteFields(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  if (value instanceof Uint8Array) yield path
  else if (typeof value === 'object' && value !== null) {
    for (const [name, inner] of Object.entries(value)) yield* byteFields(inner, [...path, name])
  }
}

function changed(
  value: unknown,
  [name, ...rest]: readonly string[],
  change: (bytes: Uint8Array) => Uint8Array,
): unknown {
  if (name === undefined) return change(value as Uint8Array)
  const container = value as Record<string, unknown>
  const copy: Record<string, unknown> = Array.isArray(value) ? ([...(value as unknown[])] as never) : { ...container }
  copy[name] = changed(container[name], rest, change)
  return copy
}

test('one bit changed in any byte string inside of a bundle', async () => {
  const fields = SIGNED.flatMap((signed) => [...byteFields(signed.entity)].map((path) => ({ signed, path })))
  assert.ok(fields.length > 25, String(fields.length))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...fields),
      fc.nat(),
      fc.integer({ min: 0, max: 7 }),
      async ({ signed, path }, at, bit) => {
        const entity = changed(signed.entity, path, (bytes) =>
          bytes.map((byte, index) => (index === at % bytes.length ? byte ^ (1 << bit) : byte)),
        )
        const request = { ...requestFor(signed, pki.trusted), entity: entity as SignedArtifact['entity'] }
        const before = meaning(await verify(requestFor(signed, pki.trusted)))
        const after = await verify(request).then(meaning, (error: unknown) => {
          assert.ok(
            isCodedError(error),
            `a crash, not a refusal: ${String(error instanceof Error ? error.stack : error)}`,
          )
          return 'refused'
        })
        if (after !== 'refused') assert.deepEqual(after, before, path.join('.'))
      },
    ),
    { numRuns: 5 * fuzzRuns() },
  )
})
