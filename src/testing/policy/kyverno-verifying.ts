/** Signers, signed images and short rules for Kyverno's policies, and asking whether they admit. @module */
import assert from 'node:assert/strict'
import { publicKeyToPem } from '#crypto/public-key'
import type { JsonObject } from '#encoding/json'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import type { CompiledPolicy } from '#policy/internal/policy'
import type { Review } from '#policy/internal/review'
import { openPolicyBench } from './bench.js'
import type { PolicyBench, SignOptions, TestSigner } from './bench.js'
import { judged, ruleOf } from './kyverno.js'
import type { RuleText } from './kyverno.js'
import { podOf } from './reviews.js'

export const ISSUER = 'https://accounts.example.com'
export const VULN = 'https://example.com/scan/v1'

export const pem = (signer: TestSigner): string => publicKeyToPem(signer.key.publicKey)
export const quoted = (text: string): string => JSON.stringify(text)
export const keyed = (signer: TestSigner, more = ''): string => `keys: {publicKeys: ${quoted(pem(signer))}${more}}`
export const unlogged = ', rekor: {ignoreTlog: true}'
export const keyless = (subject = 'ann@example.com', more = ''): string =>
  `keyless: {issuer: '${ISSUER}', subject: '${subject}'${more}}`
export const refs = (pattern = 'ghcr.io/acme/*'): string => `imageReferences: ['${pattern}']`
export const by = (entry: string, more = ''): string => `${refs()}, attestors: [{entries: [{${entry}}]}]${more}`
export const attestation = (entry: string, more = ''): string =>
  `${refs()}, attestations: [{type: '${VULN}', attestors: [{entries: [{${entry}}]}]${more}}]`

export interface KyvernoVerifying {
  readonly bench: PolicyBench
  readonly ann: TestSigner
  readonly bob: TestSigner
  readonly key: TestSigner
  readonly otherKey: TestSigner
  /** A new image that these signed. */
  imageBy(...signers: readonly (TestSigner | readonly [TestSigner, SignOptions])[]): Promise<string>
  /** The tag of the last image, or of the one so many before. */
  latest(before?: number): string
  /** A new image about which these say so. */
  attested(...claims: readonly (readonly [TestSigner, JsonObject])[]): Promise<string>
  verdict(
    policies: readonly CompiledPolicy[],
    review: Review,
    documents?: readonly JsonObject[],
  ): Promise<ReviewVerdict>
  /** Throws unless a rule with this entry was asked and admits the image. */
  admitted(entry: string, image: string, text?: RuleText): Promise<ReviewVerdict>
  /** Throws unless a rule with this entry refuses the image for this reason. */
  denied(entry: string, image: string, why: RegExp, text?: RuleText): Promise<ReviewVerdict>
}

export async function openKyvernoVerifying(): Promise<KyvernoVerifying> {
  const bench = await openPolicyBench()
  const ann = await bench.person('ann@example.com', ISSUER, { githubWorkflowTrigger: 'push' })
  const bob = await bench.person('bob@example.com', ISSUER)
  const key = await bench.keyHolder()
  const otherKey = await bench.keyHolder()
  let serial = 0

  async function imageBy(...signers: readonly (TestSigner | readonly [TestSigner, SignOptions])[]): Promise<string> {
    const name = `ghcr.io/acme/app:${String(serial++)}`
    const image = bench.pushImage(name, [{ os: 'linux', architecture: 'amd64', name }])
    for (const each of signers) {
      if ('key' in each) await bench.sign(image, each)
      else await bench.sign(image, ...each)
    }
    return image
  }

  async function attested(...claims: readonly (readonly [TestSigner, JsonObject])[]): Promise<string> {
    const image = await imageBy()
    for (const [signer, predicate] of claims) await bench.attest(image, signer, { type: VULN, predicate })
    return image
  }

  async function verdict(
    policies: readonly CompiledPolicy[],
    review: Review,
    documents: readonly JsonObject[] = [],
  ): Promise<ReviewVerdict> {
    return await judged(policies, review, { ports: bench.ports({ cluster: clusterOfDocuments(documents) }) })
  }

  async function admitted(entry: string, image: string, text: RuleText = {}): Promise<ReviewVerdict> {
    const result = await verdict([await ruleOf(entry, text)], podOf(image))
    assert.equal(result.allowed, true, result.message)
    assert.ok(result.rules.length > 0, 'no rule was asked')
    return result
  }

  async function denied(entry: string, image: string, why: RegExp, text: RuleText = {}): Promise<ReviewVerdict> {
    const result = await verdict([await ruleOf(entry, text)], podOf(image))
    assert.equal(result.allowed, false, 'it was admitted')
    assert.match(result.message, why)
    assert.deepEqual(result.pins, [])
    return result
  }

  const latest = (before = 0): string => `ghcr.io/acme/app:${String(serial - 1 - before)}`

  return { bench, ann, bob, key, otherKey, imageBy, latest, attested, verdict, admitted, denied }
}
