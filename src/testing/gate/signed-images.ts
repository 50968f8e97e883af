/** A gate over images of which Ann signed one. @module */
import type { TestContext } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { clusterImagePolicy, openGateBench, type GateBench, type GateBenchOptions } from './gate-bench.js'

export const ISSUER = 'https://issuer.example.com'
/** An authority of a ClusterImagePolicy: Ann, without a key. */
export const ANN: { readonly keyless: JsonObject } = {
  keyless: { identities: [{ issuer: ISSUER, subject: 'ann@example.com' }] },
}
export const VALIDATE = '/validations/sigstore?timeout=10s'
export const MUTATE = '/mutations/sigstore?timeout=10s'

/** Closed when the test is over. */
export async function openGate(t: TestContext, options: GateBenchOptions = {}): Promise<GateBench> {
  const bench = await openGateBench(options)
  t.after(() => bench.close())
  return bench
}

export interface SignedImages extends GateBench {
  /** By Ann. */
  readonly signed: string
  /** By nobody. */
  readonly bare: string
}

/** A gate with an image that Ann signed, one that nobody did, and the policy that it must have been Ann. */
export async function withImages(t: TestContext, options: GateBenchOptions = {}): Promise<SignedImages> {
  const bench = await openGate(t, options)
  const { images } = bench
  const signed = images.pushImage('ghcr.io/acme/app:1')
  const bare = images.pushImage('ghcr.io/acme/bare:1')
  await images.sign(signed, await images.person('ann@example.com', ISSUER))
  await bench.apply(clusterImagePolicy('signed', ANN))
  return { ...bench, signed, bare }
}
