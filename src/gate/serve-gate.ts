/** The gate on its two ports: TLS for the API server, plain HTTP for those who look after it. @module */
import { parsePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { wait } from '#clients/http/timers'
import type { Timers } from '#clients/http/fetch'
import { serve } from '#serving/serve'
import type { RunningServer, TlsIdentity } from '#serving/serve'
import type { Gate } from './gate.js'

export interface ServeGateOptions {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  readonly healthPort: number
  readonly tls: TlsIdentity
  readonly timers: Timers
  readonly onFault: (error: unknown) => void
}

export interface RunningGate {
  readonly webhooks: RunningServer
  readonly health: RunningServer
  /** Shows another certificate from the next connection on. */
  renew(identity: TlsIdentity): void
  /**
   * Says that it is not ready, serves on for `delayMillis` until nobody sends requests here any longer, and lets those that run
   * finish.
   */
  close(delayMillis: number): Promise<void>
}

/** The API server gives a webhook thirty seconds at most; what has not come by then is a slow attack. */
const TIMEOUTS = { headers: 5_000, request: 15_000, idle: 40_000, keepAlive: 120_000 }
const MAX_CONNECTIONS = 2000
/** No verdict takes longer than this. */
const GRACE = 30_000

export async function serveGate(gate: Gate, options: ServeGateOptions): Promise<RunningGate> {
  const { host, timers, onFault, tls } = options
  const webhooks = await serve(gate.webhooks, {
    host,
    port: options.port,
    tls,
    timeouts: TIMEOUTS,
    maxConnections: MAX_CONNECTIONS,
    onFault,
  })
  let ends = expirySeconds(tls)
  gate.metrics.observedGauge(
    'countersign_webhook_certificate_expiry_timestamp_seconds',
    'When the certificate that is shown to the API server, or one above it, ceases to be valid.',
    () => ends.map((end) => [{}, end]),
  )
  const renew = (identity: TlsIdentity): void => {
    webhooks.renew(identity)
    ends = expirySeconds(identity)
  }
  try {
    const health = await serve(gate.health, { host, port: options.healthPort, timeouts: TIMEOUTS, onFault })
    return { webhooks, health, renew, close: (delay) => shutDown(gate, { webhooks, health }, { delay, timers }) }
  } catch (error) {
    await webhooks.close(0)
    throw error
  }
}

/** Unix seconds; none where the platform reads a certificate that we do not. */
function expirySeconds({ certificates }: TlsIdentity): readonly number[] {
  try {
    return [Math.min(...parsePem(certificates).map(({ bytes }) => parseCertificate(bytes).notAfter)) / 1000]
  } catch (error) {
    if (isCodedError(error)) return []
    throw error
  }
}

async function shutDown(
  gate: Gate,
  { webhooks, health }: Pick<RunningGate, 'webhooks' | 'health'>,
  { delay, timers }: { readonly delay: number; readonly timers: Timers },
): Promise<void> {
  gate.drain()
  webhooks.drain()
  if (delay > 0) await wait(timers, delay, undefined)
  await webhooks.close(GRACE)
  await health.close(0)
  gate.close()
}
