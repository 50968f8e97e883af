/** The endpoints that orchestrators and Prometheus ask. @module */
import type { Metrics } from './metrics.js'
import { json, text } from './responses.js'
import { route } from './routes.js'
import type { Route } from './routes.js'

/** What is asked whether the process can serve. Resolves to the name of what is wrong, or undefined. */
export type ReadinessCheck = () => Promise<string | undefined>

/** `/healthz` (Fulcio's and Rekor v2's shape), `/ping` (Rekor v1's and the TSA's), `/readyz` and `/metrics`. */
export function healthRoutes(metrics: Metrics, ready: ReadinessCheck): readonly Route[] {
  return [
    route('GET', '/healthz', () => Promise.resolve(json(200, { status: 'SERVING' }))),
    route('GET', '/ping', () => Promise.resolve(text(200, ''))),
    route('GET', '/readyz', async () => {
      const problem = await ready()
      return problem === undefined ? json(200, { status: 'READY' }) : json(503, { status: 'NOT_READY', problem })
    }),
    route('GET', '/metrics', () =>
      Promise.resolve(text(200, metrics.render(), { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' })),
    ),
  ]
}
