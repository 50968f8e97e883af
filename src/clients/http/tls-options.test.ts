import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from '#encoding/utf8'
import { loadTlsSettings, type TlsFiles } from './tls-options.js'

const PEM = '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n'
const KEY = '-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n'

function files(contents: Readonly<Record<string, string>>): TlsFiles {
  return {
    readFile: (path) => {
      const text = contents[path]
      return text === undefined ? Promise.reject(new Error('ENOENT')) : Promise.resolve(encodeUtf8(text))
    },
    readDirectory: (path) => {
      const names = Object.keys(contents).filter((name) => name.startsWith(`${path}/`))
      if (names.length === 0) return Promise.reject(new Error('ENOENT'))
      return Promise.resolve(names.map((name) => name.slice(path.length + 1)))
    },
  }
}

test('nothing chosen is nothing set', async () => {
  assert.deepEqual(await loadTlsSettings({}, {}, files({})), { rejectUnauthorized: true })
})

test('the flag comes before the environment, the file before the directory', async () => {
  const machine = files({ '/flag': `flag${PEM}`, '/env': `env${PEM}`, '/dir/a': `dir${PEM}`, '/dir/README': 'no' })
  const env = { SSL_CERT_FILE: '/env', SSL_CERT_DIR: '/dir' }
  assert.deepEqual((await loadTlsSettings({ caFile: '/flag' }, env, machine)).ca, [`flag${PEM}`])
  assert.deepEqual((await loadTlsSettings({}, env, machine)).ca, [`env${PEM}`])
  assert.deepEqual((await loadTlsSettings({}, { SSL_CERT_DIR: '/dir' }, machine)).ca, [`dir${PEM}`])
})

test('a client certificate comes with its key', async () => {
  const machine = files({ '/c': PEM, '/k': KEY })
  const settings = await loadTlsSettings(
    { clientCertificateFile: '/c', clientKeyFile: '/k', serverName: 'n' },
    {},
    machine,
  )
  assert.deepEqual(settings, { rejectUnauthorized: true, cert: PEM, key: KEY, servername: 'n' })
})

test('texts serve as files do, and come before them', async () => {
  const machine = files({ '/ca': `file${PEM}`, '/env': `env${PEM}` })
  const chosen = { ca: PEM, caFile: '/ca', clientCertificate: PEM, clientKey: KEY }
  assert.deepEqual(await loadTlsSettings(chosen, { SSL_CERT_FILE: '/env' }, machine), {
    rejectUnauthorized: true,
    ca: [PEM],
    cert: PEM,
    key: KEY,
  })
})

for (const [name, choices, env] of [
  ['a CA text that is no PEM', { ca: 'hello' }, {}],
  ['a certificate text without its key', { clientCertificate: PEM }, {}],
  ['a key text that is a certificate', { clientCertificate: PEM, clientKey: PEM }, {}],
  ['a CA file that is missing', { caFile: '/none' }, {}],
  ['a CA file that is no PEM', { caFile: '/text' }, {}],
  ['a CA file that is a key', { caFile: '/k' }, {}],
  ['a missing SSL_CERT_FILE', {}, { SSL_CERT_FILE: '/none' }],
  ['a missing SSL_CERT_DIR', {}, { SSL_CERT_DIR: '/none' }],
  ['an SSL_CERT_DIR without certificates', {}, { SSL_CERT_DIR: '/dir' }],
  ['a certificate without its key', { clientCertificateFile: '/c' }, {}],
  ['a key without its certificate', { clientKeyFile: '/k' }, {}],
  ['a key that is a certificate', { clientCertificateFile: '/c', clientKeyFile: '/c' }, {}],
] as const) {
  test(`${name} is an error, never ignored`, async () => {
    const machine = files({ '/text': 'hello', '/c': PEM, '/k': KEY, '/dir/README': 'no' })
    await assert.rejects(loadTlsSettings(choices, env, machine), { code: 'HTTP_CA' })
  })
}
