import assert from 'node:assert/strict'
import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { before, describe, test, type TestContext } from 'node:test'
import { admissionReview, pod } from '#testing/gate/gate-bench'
import { openSigningBench, type SigningBench } from '#testing/cli/signing-bench'
import { command as admission } from './admission.js'
import { command as generate } from './generate-key-pair.js'
import { command as sign } from './sign.js'

let bench: SigningBench
let signed: string
let bare: string
before(async () => {
  bench = await openSigningBench()
  await bench.run(generate, [])
  signed = await bench.pushImage('acme/app')
  bare = await bench.pushImage('acme/bare')
  const flags = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']
  assert.equal((await bench.run(sign, [...flags, signed])).code, 0)
})

const policy = (subject = 'ann@example.com'): string => `apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {name: signed}
spec:
  images: [{glob: 'ghcr.io/acme/**'}]
  authorities: [{name: us, keyless: {identities: [{issuer: ${bench.issuer}, subject: ${subject}}]}}]
`

interface Answer {
  readonly response: {
    readonly uid: string
    readonly allowed: boolean
    readonly status?: { readonly code: number; readonly message: string }
    readonly patch?: string
  }
}

interface Webhook {
  review(path: string, image: string): Promise<Answer>
  stop(): Promise<number>
}

async function start(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<Webhook> {
  const interruption = new AbortController()
  let ca = ''
  let addresses: { readonly webhooks: string; readonly health: string } | undefined
  const running = bench.run(
    admission,
    [
      ...['--policy', 'p.yaml', '--port', '0', '--health-port', '0', '--output', 'json', '--trusted-root', 'root.json'],
      ...['--mirror', 'ghcr.io=localhost:8080', '--tls-ca-out', 'ca.pem', ...words],
    ],
    {
      files,
      interrupted: interruption.signal,
      onHost: (host) => {
        const { write } = host.terminal
        host.terminal.write = (output) => {
          write(output)
          ca = new TextDecoder().decode(host.content('ca.pem'))
          addresses = JSON.parse(String(output)) as typeof addresses
        }
      },
    },
  )
  t.after(() => {
    interruption.abort()
  })
  while (addresses === undefined) await Promise.race([running, new Promise((resolve) => setImmediate(resolve))])
  const { webhooks } = addresses
  return {
    review: (path, image) =>
      post(
        `${webhooks}${path}`,
        ca,
        JSON.stringify(admissionReview(pod(image.replace('localhost:8080', 'ghcr.io')), { uid: 'u-1' })),
      ),
    stop: async () => {
      interruption.abort()
      return (await running).code
    },
  }
}

/** The bench's time stands still in the past, and so does the certificate: that it has expired is all that may be wrong with it. */
function post(url: string, ca: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', ca, rejectUnauthorized: false, headers: { 'content-type': 'application/json' } },
      (response) => {
        assert.equal((response.socket as TLSSocket).authorizationError, 'CERT_HAS_EXPIRED')
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => {
          resolve(JSON.parse(text) as Answer)
        })
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

describe('admission over files', () => {
  test('a policy by a key at a service that cannot be asked denies, and says why', async (t) => {
    const keyed = policy().replace(/keyless: .*$/m, "key: {kms: 'hashivault://cosign'}}]")
    const webhook = await start(t, { 'p.yaml': keyed })
    const { response } = await webhook.review('/validations', signed)
    assert.equal(response.allowed, false)
    assert.match(response.status?.message ?? '', /it is not said where Vault is/)
    assert.equal(await webhook.stop(), 0)
  })

  test('a real HTTPS review: signed is pinned and admitted, unsigned and others are denied, and it ends when told', async (t) => {
    const webhook = await start(t, { 'p.yaml': policy() })
    const tag = signed.replace(/@.*/, ':latest')
    const mutated = await webhook.review('/mutations?timeout=10s', tag)
    assert.equal(mutated.response.allowed, true, JSON.stringify(mutated))
    assert.equal(mutated.response.uid, 'u-1')
    const patch = JSON.parse(Buffer.from(mutated.response.patch ?? '', 'base64').toString()) as { value: string }[]
    assert.match(patch[0]?.value ?? '', /^ghcr\.io\/acme\/app:latest@sha256:/)
    assert.equal((await webhook.review('/validations', signed)).response.allowed, true)
    const denied = await webhook.review('/validations', bare)
    assert.equal(denied.response.allowed, false)
    assert.equal(denied.response.status?.code, 400)
    assert.match(
      denied.response.status.message,
      /^validation failed: failed policy: signed: spec\.containers\[0\]\.image\n/,
    )
    const other = await webhook.review('/validations', 'quay.io/other:1')
    assert.match(
      other.response.status?.message ?? '',
      /^validation failed: no matching policies: spec\.containers\[0\]\.image/,
    )
    assert.equal(await webhook.stop(), 0)
  })

  for (const [name, files, words, message] of [
    ['no policy in the files', { 'p.yaml': 'kind: Pod' }, [], /no policy/],
    ['half of a certificate', undefined, ['--tls-cert', 'root.json'], /belong together/],
    ['a certificate that is none', undefined, ['--tls-cert', 'root.json', '--tls-key', 'root.json'], /TLS/],
    ['a custom kind that is none', undefined, ['--custom-kind', 'x'], /--custom-kind/],
    ['another pinning', undefined, ['--pin-digests', 'some'], /pods|all|none/],
  ] as const) {
    test(`refused: ${name}`, async () => {
      const given = ['--policy', 'p.yaml', '--port', '0', '--health-port', '0', ...words]
      const outcome = await bench.run(admission, given, { files: files ?? { 'p.yaml': policy() } })
      assert.notEqual(outcome.code, 0)
      assert.match(outcome.stderr, message)
    })
  }
})
