/** A whole Sigstore in the memory of a test: every service, a clock that the test moves, and a fetch without sockets. @module */
import type { Fetch } from '#clients/http/fetch'
import { generatePrivateKey, privateKeyToPem } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { encodeUtf8 } from '#encoding/utf8'
import type { SigningConfig } from '#formats/signing-config/signing-config'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Handler } from '#serving/handler'
import { fetchInProcess } from '#serving/in-process'
import { createSigstore } from '#services/up/sigstore'
import type { Sigstore } from '#services/up/sigstore'
import { memoryStorage } from '#services/up/storage'
import type { InstanceStorage } from '#services/up/storage'
import { deploymentSigningConfig, deploymentTrustedRoot } from '#services/up/trust'
import type { Clock, UnixMillis } from '#time'

export interface VirtualSigstoreOptions {
  /** What its services and its registry are called. Default `http://localhost:8080`. */
  readonly url?: string
  /** When it was born. Default 2025-06-01T12:00:00Z. */
  readonly now?: UnixMillis
  /** False: a registry from before OCI 1.1, where clients fall back to tags. */
  readonly referrersApi?: boolean
  /** Of an earlier instance, which then goes on. */
  readonly storage?: InstanceStorage
}

export interface VirtualSigstore {
  readonly url: string
  readonly issuer: string
  /** Host and port of the registry, as image references begin. */
  readonly registry: string
  /** Reaches its services and its registry. Any other host is refused: a test must not reach the network. */
  readonly fetch: Fetch
  readonly handler: Handler
  readonly clock: Clock
  /** Moves its clock. */
  advance(millis: number): void
  readonly trustedRoot: TrustedRoot
  readonly signingConfig: SigningConfig
  /** Where its TUF repository is, and the root to begin with. */
  readonly tuf: { readonly mirror: string; readonly root: Uint8Array }
  /** An identity token for an e-mail address. */
  token(email: string): Promise<string>
  readonly storage: InstanceStorage
  readonly sigstore: Sigstore
  close(): Promise<void>
}

const BORN: UnixMillis = Date.UTC(2025, 5, 1, 12)

/** Starts one. It lives as long as the test keeps it; `close` settles its logs, so that its storage can be opened again. */
export async function startVirtualSigstore(options: VirtualSigstoreOptions = {}): Promise<VirtualSigstore> {
  const url = options.url ?? 'http://localhost:8080'
  const storage = options.storage ?? memoryStorage()
  await seedOidcKey(storage)
  let now = options.now ?? BORN
  const clock = (): UnixMillis => now
  const faults: string[] = []
  const sigstore = await createSigstore({
    url,
    storage,
    clock,
    signIn: { kind: 'development' },
    elapsed: () => now,
    // Batches are not waited for: nothing else is on its way in a test that wants a result.
    wait: () => Promise.resolve(),
    random: randomBytes,
    connect: () => Promise.reject(new Error('a virtual Sigstore knows no other issuers')),
    referrersApi: options.referrersApi,
    errorLog: (line) => faults.push(line),
    deviceInterval: 0,
  })
  const handler = failingOnFaults(sigstore.handler, faults)
  const { deployment, issuer, localSecret = '' } = sigstore
  return {
    url,
    issuer,
    registry: new URL(url).host,
    fetch: onlyFrom(new URL(url).origin, fetchInProcess(handler)),
    handler,
    clock,
    advance: (millis) => void (now += millis),
    trustedRoot: deploymentTrustedRoot(deployment),
    signingConfig: deploymentSigningConfig(deployment),
    tuf: { mirror: `${url}/tuf`, root: sigstore.tufRoot },
    token: (email) => localToken(handler, { issuer, secret: localSecret, email }),
    storage,
    sigstore,
    close: () => sigstore.close(),
  }
}

let oidcKey: Promise<string> | undefined

/** Puts an issuer key into a new storage. Making an RSA key takes longer than most tests; one a process is enough. */
export async function seedOidcKey({ files }: InstanceStorage): Promise<void> {
  oidcKey ??= generatePrivateKey('rsa-sign-pkcs1-2048-sha256').then(privateKeyToPem)
  if ((await files.read('keys/oidc.pem')) === undefined) await files.write('keys/oidc.pem', await oidcKey)
}

/** A 500 in a test is a bug of ours; it should say which. */
function failingOnFaults(handler: Handler, faults: string[]): Handler {
  return async (request) => {
    const response = await handler(request)
    const fault = faults.shift()
    if (fault !== undefined) throw new Error(`a service failed: ${fault}`)
    return response
  }
}

function onlyFrom(origin: string, fetch: Fetch): Fetch {
  return async (url, init) => {
    if (new URL(url).origin !== origin) throw new Error(`a test reached for the network: ${new URL(url).origin}`)
    return await fetch(url, init)
  }
}

interface TokenRequest {
  readonly issuer: string
  readonly secret: string
  readonly email: string
}

async function localToken(handler: Handler, { issuer, secret, email }: TokenRequest): Promise<string> {
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/x-www-form-urlencoded' }
  const body = encodeUtf8(new URLSearchParams({ email }).toString())
  const response = await handler(new Request(`${issuer}/local-token`, { method: 'POST', headers, body }))
  const { id_token: token } = (await response.json()) as { id_token?: string }
  if (token === undefined) throw new Error(`no token for ${email}`)
  return token
}
