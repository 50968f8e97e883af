import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLoopbackHost, proxyFor, type Environment } from './proxy.js'

const PROXY = 'http://proxy.corp:3128'

function viaProxy(url: string, env: Environment): boolean {
  return proxyFor(new URL(url), { HTTPS_PROXY: PROXY, HTTP_PROXY: PROXY, ...env }) !== undefined
}

test('the variable fits the scheme, and lower case wins', () => {
  assert.equal(proxyFor(new URL('https://a.example/'), { HTTP_PROXY: PROXY }), undefined)
  assert.equal(proxyFor(new URL('http://a.example/'), { HTTPS_PROXY: PROXY }), undefined)
  const both = { https_proxy: 'http://lower:1', HTTPS_PROXY: 'http://upper:2' }
  assert.equal(proxyFor(new URL('https://a.example/'), both)?.hostname, 'lower')
})

test('the parts of a proxy’s address are read', () => {
  assert.deepEqual(proxyFor(new URL('https://a.example/'), { HTTPS_PROXY: 'https://us%40er:p%3Aw@p.corp' }), {
    protocol: 'https:',
    hostname: 'p.corp',
    port: 443,
    authorization: `Basic ${Buffer.from('us@er:p:w').toString('base64')}`,
  })
  assert.equal(proxyFor(new URL('https://a.example/'), { HTTPS_PROXY: 'p.corp:8080' })?.port, 8080)
})

test('a percent sign that begins no escape is one', () => {
  const { authorization } = proxyFor(new URL('https://a.example/'), { HTTPS_PROXY: 'http://u:100%sure@p.corp' }) ?? {}
  assert.equal(authorization, `Basic ${Buffer.from('u:100%sure').toString('base64')}`)
})

for (const value of ['socks5://p.corp:1080', 'ftp://p.corp', 'http://', '://', 'http://p corp']) {
  test(`the proxy ${value} is refused without showing it`, () => {
    assert.throws(
      () => proxyFor(new URL('https://a.example/'), { HTTPS_PROXY: value }),
      (error: Error & { code?: string }) => error.code === 'HTTP_PROXY' && !error.message.includes(value),
    )
  })
}

for (const url of ['http://localhost:5000/', 'https://127.0.0.1/', 'https://[::1]:5000/', 'https://x.localhost/']) {
  test(`${url} is never proxied`, () => {
    assert.equal(viaProxy(url, {}), false)
    assert.ok(isLoopbackHost(new URL(url).hostname))
  })
}

for (const host of ['169.254.169.254', '169.254.170.2', 'metadata.google.internal']) {
  test(`the metadata service ${host} is never asked through a proxy`, () => {
    assert.equal(viaProxy(`http://${host}/`, {}), false)
    assert.equal(viaProxy(`http://${host}.evil.example/`, {}), !host.startsWith('169'))
  })
}

for (const [list, url] of [
  ['*', 'https://a.example/'],
  ['a.example', 'https://a.example/'],
  ['a.example', 'https://sub.a.example/'],
  ['.a.example', 'https://sub.a.example/'],
  ['*.a.example', 'https://sub.a.example/'],
  ['b.example, A.EXAMPLE', 'https://a.example/'],
  ['a.example:443', 'https://a.example/'],
  ['10.0.0.0/8', 'https://10.1.2.3/'],
  ['192.168.1.7', 'https://192.168.1.7/'],
  ['[fe80::1]', 'https://[fe80::1]/'],
] as const) {
  test(`NO_PROXY=${list} exempts ${url}`, () => {
    assert.equal(viaProxy(url, { NO_PROXY: list }), false)
  })
}

for (const [list, url] of [
  ['', 'https://a.example/'],
  ['example', 'https://a.example.com/'],
  ['a.example', 'https://ba.example/'],
  ['a.example:8443', 'https://a.example/'],
  ['10.0.0.0/8', 'https://11.1.2.3/'],
  ['10.0.0.0/99', 'https://10.1.2.3/'],
  ['10.0.0.0/8', 'https://ten.example/'],
  ['.', 'https://a.example/'],
] as const) {
  test(`NO_PROXY=${list} does not exempt ${url}`, () => {
    assert.equal(viaProxy(url, { NO_PROXY: list }), true)
  })
}
