/** Signers, signed images and short policies for image validating policies, and asking whether they admit. @module */
import assert from 'node:assert/strict'
import { publicKeyToPem } from '#crypto/public-key'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { ReviewVerdict } from '#policy/engine/verdict'
import type { Review } from '#policy/internal/review'
import { openPolicyBench } from './bench.js'
import type { PolicyBench, SignOptions, TestSigner } from './bench.js'
import { judged, policyOf } from './ivpol.js'
import type { Judging, PolicyText } from './ivpol.js'

export const ISSUER = 'https://accounts.example.com'
export const SCAN = 'https://example.com/scan/v1'

export type KeyHolder = TestSigner & { readonly key: { readonly publicKey: Parameters<typeof publicKeyToPem>[0] } }

export interface Signing {
  readonly by: TestSigner
  readonly as?: SignOptions
}

export const pem = (holder: KeyHolder): string => publicKeyToPem(holder.key.publicKey)
export const keyed = (holder: KeyHolder, more: JsonObject = {}): JsonObject => ({
  name: 'key',
  cosign: { key: { data: pem(holder) }, ctlog: { insecureIgnoreTlog: true }, ...more },
})
export const keyless = (identity: JsonObject, more: JsonObject = {}): JsonObject => ({
  name: 'people',
  cosign: { keyless: { identities: [{ issuer: ISSUER, ...identity }] }, ...more },
})

export const EACH = (attestor: string): string =>
  `images.containers.map(i, verifyImageSignatures(i, [attestors.${attestor}])).all(n, n > 0)`
export const SIGNED_BY_KEY: JsonValue = [{ expression: EACH('key'), message: 'not signed' }]
export const SIGNED_BY_PEOPLE: JsonValue = [{ expression: EACH('people'), message: 'not signed' }]

export interface IvpolVerifying {
  readonly bench: PolicyBench
  readonly ann: TestSigner
  readonly key: KeyHolder
  readonly other: KeyHolder
  /** A new image that these signed, by tag and by digest. */
  imageBy(...signers: readonly (TestSigner | Signing)[]): Promise<{ readonly tagged: string; readonly pinned: string }>
  verdictOn(review: Review, text: PolicyText | readonly PolicyText[], more?: Partial<Judging>): Promise<ReviewVerdict>
  /** Throws unless the policies were asked and admit. */
  admitted(review: Review, text: PolicyText | readonly PolicyText[], more?: Partial<Judging>): Promise<ReviewVerdict>
  /** Throws unless the policies refuse, with this message. */
  denied(
    review: Review,
    text: PolicyText | readonly PolicyText[],
    message: string | RegExp,
    more?: Partial<Judging>,
  ): Promise<ReviewVerdict>
  /** A policy that asks for a signature by the key. */
  keyPolicy(more?: JsonObject): PolicyText
}

export async function openIvpolVerifying(): Promise<IvpolVerifying> {
  const bench = await openPolicyBench()
  const ann = await bench.person('ann@example.com', ISSUER, { githubWorkflowTrigger: 'push' })
  const key: KeyHolder = await bench.keyHolder()
  const other: KeyHolder = await bench.keyHolder()
  let serial = 0

  async function imageBy(
    ...signers: readonly (TestSigner | Signing)[]
  ): Promise<{ readonly tagged: string; readonly pinned: string }> {
    const tagged = `ghcr.io/acme/app:v${String(serial++)}`
    const pinned = bench.pushImage(tagged, [{ os: 'linux', architecture: 'amd64', name: tagged }])
    for (const each of signers) {
      const { by, as } = 'by' in each ? each : { by: each, as: {} }
      await bench.sign(pinned, by, as)
    }
    return { tagged, pinned }
  }

  async function verdictOn(
    review: Review,
    text: PolicyText | readonly PolicyText[],
    more: Partial<Judging> = {},
  ): Promise<ReviewVerdict> {
    const policies = await Promise.all([text].flat().map(policyOf))
    return await judged(policies, review, { ports: bench.ports(), ...more })
  }

  async function admitted(
    review: Review,
    text: PolicyText | readonly PolicyText[],
    more: Partial<Judging> = {},
  ): Promise<ReviewVerdict> {
    const verdict = await verdictOn(review, text, more)
    assert.equal(verdict.message, '')
    assert.ok(verdict.allowed)
    assert.ok(verdict.rules.length > 0, 'no policy was asked')
    return verdict
  }

  async function denied(
    review: Review,
    text: PolicyText | readonly PolicyText[],
    message: string | RegExp,
    more: Partial<Judging> = {},
  ): Promise<ReviewVerdict> {
    const verdict = await verdictOn(review, text, more)
    assert.ok(!verdict.allowed, 'it was admitted')
    if (typeof message === 'string') assert.equal(verdict.message, message)
    else assert.match(verdict.message, message)
    assert.deepEqual(verdict.pins, [])
    return verdict
  }

  const keyPolicy = (more: JsonObject = {}): PolicyText => ({
    spec: { attestors: [keyed(key)], validations: SIGNED_BY_KEY, ...more },
  })

  return { bench, ann, key, other, imageBy, verdictOn, admitted, denied, keyPolicy }
}
