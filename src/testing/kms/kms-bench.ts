/** What the tests of key management services have in common: four services, keys at them, and refusals that name no secret. @module */
import assert from 'node:assert/strict'
import { createHttpClient } from '#clients/http/client'
import { createKmsKey, fetchKmsKey, openKmsSigner } from '#clients/kms/kms'
import type { KmsPorts } from '#clients/kms/kms-key'
import type { AlgorithmName } from '#crypto/algorithms'
import { publicKeyToPem } from '#crypto/public-key'
import type { ErrorDetail } from '#errors'
import { AWS_LOGIN, AZURE_TOKEN, GOOGLE_TOKEN, VAULT_TOKEN, type FakeKey } from './fake-services.js'
import { openKeyServices, type KeyServices } from './key-services.js'

export const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
export const GOOGLE_KEY = 'projects/pp/locations/ll/keyRings/rr/cryptoKeys/kk'
export const AWS: string = `awskms:///${ID}`
export const GOOGLE: string = `gcpkms://${GOOGLE_KEY}`
export const AZURE = 'azurekms://team.vault.azure.net/cosign'
export const VAULT = 'hashivault://cosign'
export const ALL: Readonly<Record<'AWS' | 'GOOGLE' | 'AZURE' | 'VAULT', string>> = { AWS, GOOGLE, AZURE, VAULT }

/** SubjectPublicKeyInfo on secp256k1, which AWS and Google have keys on. */
export const SECP256K1 =
  'MFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAEyis/MTRw7CrMyloaFnx8uggKG9fDYRp/17fG6qA+hmaLRoUqmCPj1vu33GX6eQTlPeRSdEbUL3EwWxjC0YdmNQ=='
export const PEM_256K1: string = `-----BEGIN PUBLIC KEY-----\n${SECP256K1}\n-----END PUBLIC KEY-----\n`

const SECRETS = [AWS_LOGIN.AWS_SECRET_ACCESS_KEY, GOOGLE_TOKEN, AZURE_TOKEN, VAULT_TOKEN, 'session-word']

export interface KmsBench {
  readonly services: KeyServices
  /** The same key, or keys of versions, at all four. */
  put(...versions: readonly FakeKey[]): void
  fetchKey(uri: string, others?: Partial<KmsPorts>): ReturnType<typeof fetchKmsKey>
  pemOf(uri: string, others?: Partial<KmsPorts>): Promise<string>
  openSigner(uri: string): ReturnType<typeof openKmsSigner>
  createKey(uri: string, algorithm?: AlgorithmName, others?: Partial<KmsPorts>): ReturnType<typeof createKmsKey>
  /** What the services answer in place of what is asked of them; logins they give all the same. */
  answer(give: (request: Request) => Response | undefined): void
  /** Without keys, requests and answers of one's own. */
  reset(): void
}

export async function openKmsBench(): Promise<KmsBench> {
  const services = await openKeyServices()
  const fetchKey: KmsBench['fetchKey'] = (uri, others) =>
    fetchKmsKey(services.ports(others), uri, new AbortController().signal)
  return {
    services,
    put: (...versions) => {
      const newest = versions.at(-1)
      if (newest !== undefined)
        services.keys.aws.set(ID, { id: ID, ...newest }).set('alias/team/cosign', { id: ID, ...newest })
      services.keys.google.set(GOOGLE_KEY, versions)
      services.keys.azure.set('cosign', versions)
      services.keys.vault.set('cosign', versions)
    },
    fetchKey,
    pemOf: async (uri, others) => publicKeyToPem((await fetchKey(uri, others)).publicKey),
    openSigner: (uri) => openKmsSigner(services.ports(), uri, new AbortController().signal),
    createKey: (uri, algorithm, others) =>
      createKmsKey(services.ports(others), uri, { algorithm, signal: new AbortController().signal }),
    answer: (give) => {
      services.override = (request) => (isTokenUrl(request.url) ? undefined : give(request))
    },
    reset: () => {
      services.requests.length = 0
      services.override = () => undefined
      const { aws, google, azure, vault, scheduled, rings, generating } = services.keys
      for (const kept of [aws, google, azure, vault, scheduled, rings, generating]) kept.clear()
    },
  }
}

/** The code, and that nothing secret is in any of its texts. */
export async function refused(work: Promise<unknown>, code: string, found?: string): Promise<void> {
  await assert.rejects(work, (error: Error & ErrorDetail & { readonly code: string }) => {
    const { message, expected = '', hint = '' } = error
    const texts = [message, expected, error.found ?? '', hint].join('\n')
    assert.equal(error.code, code, texts)
    assert.ok(
      SECRETS.every((secret) => !texts.includes(secret)),
      texts,
    )
    if (found !== undefined) assert.equal(error.found, found)
    return true
  })
}

/** Where the machine says who it is. */
export function isTokenUrl(address: string): boolean {
  return ['metadata.google.internal', '169.254.169.254'].includes(new URL(address).host)
}

/** Nobody listens on port 1 of this machine. */
export async function unreachable(_address: string): ReturnType<KmsPorts['fetch']> {
  const client = createHttpClient({ env: {}, clock: () => 0, userAgent: 'x', random: () => 0, retry: { attempts: 1 } })
  return await client.fetch('http://127.0.0.1:1/')
}
