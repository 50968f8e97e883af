/** The transit engine of Vault. @module */
import { publicKeyToPem } from '#crypto/public-key'
import { verifyDigestSignature } from '#crypto/verify'
import { encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { type FakeKey, type FakeKeys, generateKind, signAsDer } from './fake-keys.js'

export const VAULT_TOKEN = 'vault-secret-word'

export async function answerVault(keys: FakeKeys, request: Request): Promise<Response> {
  const { headers, url, method } = request
  if (headers.get('x-vault-token') !== VAULT_TOKEN || headers.get('x-vault-request') !== 'true') return refuse(403)
  const path = `${headers.get('x-vault-namespace') ?? ''}${new URL(url).pathname}`
  const [, engine = '', action, key = '', hash] =
    /^(.*)\/(keys|sign|verify)\/([\w.-]+)(?:\/(sha2-\d+))?$/.exec(path) ?? []
  const name = engine === '/v1/transit' ? key : `${engine}/${key}`
  if (action === 'keys' && method !== 'GET') {
    const { type = '' } = (await request.json()) as { readonly type?: string }
    if (engine !== '/v1/transit') return refuse(404)
    const made = await generateKind(type)
    if (made === undefined) return refuse(400)
    if (!keys.vault.has(name)) keys.vault.set(name, [{ key: made, algorithm: type }])
  }
  const versions = keys.vault.get(name)
  const found = versions?.at(-1)
  if (versions === undefined || found === undefined) return refuse(404)
  if (action === 'keys') return Response.json({ data: describe(versions, found) })
  const body: unknown = await request.json()
  return action === 'sign' ? await sign(versions, body, hash) : await verify(versions, body)
}

function refuse(status: number): Response {
  return Response.json({ errors: [`${VAULT_TOKEN} is not to be told`] }, { status })
}

async function sign(versions: readonly FakeKey[], asked: unknown, hash: string | undefined): Promise<Response> {
  const ask = asked as { readonly input: string; readonly key_version: unknown; readonly prehashed: boolean }
  // Numbers may be texts, and 0 is the newest.
  const number = Number(ask.key_version) || versions.length
  const signing = versions[number - 1]
  if (signing === undefined) return refuse(400)
  const input = Buffer.from(ask.input, 'base64')
  const whole = signing.key.publicKey.keyType === 'ed25519'
  // The community's Vault since 1.19: Ed25519ph is not for everybody.
  if (ask.prehashed === whole || (whole && hash === 'sha2-512')) return refuse(400)
  const signature = encodeBase64(whole ? await signing.key.sign(input) : signAsDer(signing, input))
  return Response.json({ data: { signature: `vault:v${String(number)}:${signature}` } })
}

/** What cosign asks for instead of verifying itself. */
async function verify(versions: readonly FakeKey[], asked: unknown): Promise<Response> {
  const { input, signature: text } = asked as { readonly input: string; readonly signature: string }
  const [, number = '', encoded = ''] = /^vault:v(\d+):(.+)$/.exec(text) ?? []
  const key = versions[Number(number) - 1]?.key
  if (key === undefined) return refuse(400)
  const signature = new Uint8Array(Buffer.from(encoded, 'base64'))
  const check = { key: key.publicKey, scheme: key.algorithm, signature }
  const valid = await verifyDigestSignature(check, new Uint8Array(Buffer.from(input, 'base64')))
  return Response.json({ data: { valid } })
}

function describe(versions: readonly FakeKey[], { usage, algorithm = 'ecdsa-p256' }: FakeKey): JsonObject {
  const signs = usage === undefined
  const entries = versions.map(({ key: { publicKey } }, index) => {
    const text = publicKey.keyType === 'ed25519' ? encodeBase64(publicKey.raw) : publicKeyToPem(publicKey)
    return [String(index + 1), signs ? { public_key: text, name: algorithm } : 1_700_000_000] as const
  })
  return {
    type: signs ? algorithm : 'aes256-gcm96',
    latest_version: versions.length,
    supports_signing: signs,
    keys: Object.fromEntries(entries),
  }
}
