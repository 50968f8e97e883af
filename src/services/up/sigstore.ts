/** A whole Sigstore as one handler: every service wired to the others, on whatever storage and clock it is given. @module */
import type { Fetch } from '#clients/http/fetch'
import type { PrivateKey } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import { encodeBase64Url } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import type { Clock } from '#time'
import { emailIssuerConfig } from '../fulcio/config.js'
import { certificateAuthorityRoutes } from '../fulcio/fulcio.js'
import { observed } from '#serving/access-log'
import type { LogSink } from '#serving/access-log'
import { cors } from '#serving/cors'
import { compose } from '#serving/handler'
import type { Handler } from '#serving/handler'
import { healthRoutes } from '#serving/health'
import { fetchInProcess } from '#serving/in-process'
import { createMetrics } from '#serving/metrics'
import type { Metrics } from '#serving/metrics'
import { requestIds } from '#serving/request-id'
import { pathOf, router } from '#serving/routes'
import type { Route } from '#serving/routes'
import { registryRoutes } from '../registry/registry.js'
import { timestampAuthorityRoutes } from '../tsa/tsa.js'
import { homeRoutes } from './home.js'
import { openInstance, storeInstance } from './instance.js'
import type { Instance } from './instance.js'
import { loadKeys, loadOidcKey } from './keys.js'
import type { InstanceKeys } from './keys.js'
import { openLogs } from './logs.js'
import type { InstanceLogs } from './logs.js'
import { createSignIn } from './sign-in.js'
import type { SignIn, SignInService } from './sign-in.js'
import type { InstanceStorage } from './storage.js'
import type { Deployment } from './trust.js'
import { openInstanceTuf, TUF_PATH } from './tuf.js'
import { createVault } from './vault.js'
import type { Vault } from './vault.js'

export interface SigstoreOptions {
  /** What clients call it: scheme, host and port. */
  readonly url: string
  readonly storage: InstanceStorage
  readonly signIn: SignIn
  readonly clock: Clock
  /** Milliseconds from any fixed point, never going back. */
  readonly elapsed: () => number
  readonly wait: (millis: number) => Promise<unknown>
  readonly random: RandomSource
  /** Reaches issuers elsewhere. */
  readonly connect: () => Promise<Fetch>
  readonly referrersApi?: boolean | undefined
  readonly password?: Uint8Array | undefined
  readonly accessLog?: LogSink | undefined
  readonly errorLog: LogSink
  /** See the issuer's options; tests set 0. */
  readonly deviceInterval?: number | undefined
}

export interface Sigstore {
  readonly handler: Handler
  readonly issuer: string
  /** Buys tokens at the issuer, if it is a development one. */
  readonly localSecret: string | undefined
  readonly deployment: Deployment
  readonly metrics: Metrics
  /** The TUF root that clients are to begin with. */
  readonly tufRoot: Uint8Array
  /** Answers what is pending, settles the logs, and lets go of the storage. */
  close(): Promise<void>
}

/**
 * Opens an instance, making what is missing. Whatever is answered later was durable before.
 * @throws UpError, TlogError, TufRepositoryError, FulcioConfigError, StampingError
 */
export async function createSigstore(options: SigstoreOptions): Promise<Sigstore> {
  const { url, storage, clock, random } = options
  const instance = await openInstance(storage.files, { random, now: clock(), hostname: new URL(url).hostname })
  const vault = createVault({ files: storage.files, random, known: instance.keys, password: options.password })
  const keys = await loadKeys(vault, { now: instance.created, random })
  await storeInstance(storage.files, { ...instance, keys: vault.fingerprints() })
  const logs = await openLogs({ url, instance, keys, storage, clock, wait: options.wait })
  try {
    return await wire({ options, instance, vault, keys, logs })
  } catch (error) {
    await logs.close()
    throw error
  }
}

interface Parts {
  readonly options: SigstoreOptions
  readonly instance: Instance
  readonly vault: Vault
  readonly keys: InstanceKeys
  readonly logs: InstanceLogs
}

async function wire(parts: Parts): Promise<Sigstore> {
  const { options, instance, keys, logs } = parts
  const { url, storage, clock, random, errorLog } = options
  const issuerKey = createIssuerKey(parts)
  const signIn = createSignIn({ ...options, signer: issuerKey.load, localSecret: encodeBase64Url(random(32)) })
  const deployment: Deployment = {
    url,
    issuer: signIn.issuer,
    created: instance.created,
    fulcioChain: keys.fulcio.chain,
    tsaChain: keys.tsa.chain,
    ...logs.identities,
  }
  const tuf = await openInstanceTuf({
    storage: storage.tuf,
    clock,
    rootKey: keys.tufRoot,
    onlineKey: keys.tufOnline,
    deployment,
    onRenewalFailure: (error) => {
      errorLog(JSON.stringify({ level: 'error', what: 'TUF metadata could not be renewed', error: reasonOf(error) }))
    },
  })
  const metrics = createMetrics()
  metrics.observedGauge('log_entries', 'Entries below the newest checkpoint.', () =>
    logs.sizes().map(({ log, size }) => [{ log }, size]),
  )
  const routes = [
    ...healthRoutes(metrics, () => tuf.repository.renew().then(nothingWrong, reasonOf)),
    ...homeRoutes(url, signIn.issuer),
    ...(await serviceRoutes(parts, signIn)),
    ...tuf.routes,
    ...signIn.routes,
  ]
  return {
    handler: outermost(router(routes), options, metrics),
    issuer: signIn.issuer,
    localSecret: signIn.localSecret,
    deployment,
    metrics,
    tufRoot: await tuf.repository.root(),
    async close() {
      await issuerKey.stored()
      await logs.close()
    },
  }
}

/** The issuer's key comes later than the others, so its fingerprint is noted when it has come. */
function createIssuerKey({ options, instance, vault }: Parts): {
  load: () => Promise<PrivateKey>
  stored: () => Promise<unknown>
} {
  let loading: Promise<unknown> = Promise.resolve()
  const loadAndNote = async (): Promise<PrivateKey> => {
    const key = await loadOidcKey(vault)
    await storeInstance(options.storage.files, { ...instance, keys: vault.fingerprints() })
    return key
  }
  return {
    load() {
      const key = loadAndNote()
      loading = key.catch(() => undefined) // whoever asks for a token learns of it
      return key
    },
    stored: () => loading,
  }
}

async function serviceRoutes({ options, keys, logs }: Parts, signIn: SignInService): Promise<readonly Route[]> {
  const { storage, clock, random } = options
  return [
    ...(await certificateAuthorityRoutes({
      authority: keys.fulcio,
      config: emailIssuerConfig(signIn.issuer, signIn.clientId),
      ctLog: logs.ctLog,
      fetch: await issuerFetch(signIn, options),
      clock,
      random,
    })),
    ...logs.routes,
    ...(await timestampAuthorityRoutes({ key: keys.tsa.key, chain: keys.tsa.chain, clock, random })),
    ...registryRoutes({ storage: storage.registry, clock, random, referrersApi: options.referrersApi ?? true }),
  ]
}

function nothingWrong(): undefined {
  return undefined
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}

/** The issuer's own keys are asked for without a socket: an address that is only right outside would not work from here. */
async function issuerFetch(signIn: SignInService, options: SigstoreOptions): Promise<Fetch> {
  return signIn.routes.length > 0 ? fetchInProcess(router(signIn.routes)) : options.connect()
}

const OPEN_PATHS = ['/api/', '/ct/', `${TUF_PATH}/`]

function outermost(handler: Handler, options: SigstoreOptions, metrics: Metrics): Handler {
  const { clock, elapsed, accessLog, errorLog, random } = options
  return compose(
    handler,
    requestIds(() => encodeHex(random(8))),
    observed({ clock, elapsed, log: accessLog, errorLog, metrics }),
    // What upstream opens to scripts of any origin, and nothing else: not the pages, not the images of a private registry.
    cors({
      methods: ['GET', 'HEAD', 'POST'],
      exposedHeaders: ['location', 'etag', 'x-log-index'],
      appliesTo: (request) => OPEN_PATHS.some((prefix) => pathOf(request.url).startsWith(prefix)),
    }),
  )
}
