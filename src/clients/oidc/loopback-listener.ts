/** The listener on this machine that a browser comes back to after a login (RFC 8252 §7.3). @module */
import { isLoopbackHost } from '../http/proxy.js'
import { OidcError } from './oidc-error.js'
import type { CallbackListener, OpenListener } from './ports.js'

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>Signed in</title>' +
  '<body style="font:1.2rem system-ui;margin:4rem auto;max-width:32rem"><h1>Done</h1>' +
  '<p>The sign-in is complete. You can close this window and go back to the terminal.</p>'

/** @throws OidcError OIDC_FLOW if the address is not on this machine or its port is taken */
export const listenOnLoopback: OpenListener = async (address): Promise<CallbackListener> => {
  const url = URL.canParse(address) ? new URL(address) : undefined
  if (url?.protocol !== 'http:' || !isLoopbackHost(url.hostname)) {
    throw new OidcError('OIDC_FLOW', 'the redirect address is not one this command can listen at', {
      expected: 'http://localhost:port/path',
      found: url === undefined ? 'something else' : `${url.protocol}//${url.host}`,
      hint: 'Correct --oidc-redirect-url.',
    })
  }
  const { createServer } = await import('node:http')
  let found = (_query: URLSearchParams): void => undefined
  const query = new Promise<URLSearchParams>((resolve) => {
    found = resolve
  })
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? '/', url)
    response.setHeader('connection', 'close')
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.setHeader('cache-control', 'no-store')
    const hit = request.method === 'GET' && asked.pathname === url.pathname
    response.statusCode = hit ? 200 : 404
    response.end(hit ? PAGE : '')
    if (hit) found(asked.searchParams)
  })
  // `localhost` in the address, the IPv4 loopback underneath: issuers match the former, browsers try both.
  const host = url.hostname === '[::1]' ? '::1' : '127.0.0.1'
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      reject(new OidcError('OIDC_FLOW', `cannot listen at ${url.host} for the browser`, { cause }))
    })
    server.listen(Number(url.port === '' ? 80 : url.port), host, resolve)
  })
  const bound = server.address()
  if (typeof bound === 'object' && bound !== null) url.port = String(bound.port)
  return {
    redirectUrl: url.href,
    query,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
