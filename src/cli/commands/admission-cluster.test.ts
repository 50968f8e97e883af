import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { request as plainRequest } from 'node:http'
import { request } from 'node:https'
import { before, describe, test, type TestContext } from 'node:test'
import { INSTALLATION } from '#gate/installation'
import { installationManifests } from '#gate/manifests/manifests'
import { DEFAULTS } from '#gate/manifests/options'
import { admissionReview, pod } from '#testing/gate/gate-bench'
import { openSigningBench, type SigningBench } from '#testing/cli/signing-bench'
import { createFakeCluster, type FakeCluster } from '#testing/kubernetes/fake-cluster'
import { command as admission } from './admission.js'
import { command as generate } from './generate-key-pair.js'
import { command as sign } from './sign.js'

let bench: SigningBench
let signed: string
let bare: string
before(async () => {
  bench = await openSigningBench()
  await bench.run(generate, [])
  signed = (await bench.pushImage('acme/app')).replace('localhost:8080', 'ghcr.io')
  bare = (await bench.pushImage('acme/bare')).replace('localhost:8080', 'ghcr.io')
  const flags = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']
  assert.equal((await bench.run(sign, [...flags, signed.replace('ghcr.io', 'localhost:8080')])).code, 0)
})

const NAMESPACE = DEFAULTS.namespace

function policy(name: string, subject: string): Record<string, string | object> {
  return {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name },
    spec: {
      images: [{ glob: 'ghcr.io/acme/**' }],
      authorities: [{ name: 'us', keyless: { identities: [{ issuer: bench.issuer, subject }] } }],
    },
  }
}

interface Response {
  readonly uid: string
  readonly allowed: boolean
  readonly status?: { readonly code: number; readonly message: string }
}

interface Running {
  readonly cluster: FakeCluster
  review(path: string, image: string): Promise<Response>
  /** Asks until the answer is as wanted. */
  until(path: string, image: string, wanted: (response: Response) => boolean): Promise<Response>
  health(path: string): Promise<{ readonly status: number; readonly body: string }>
  whenReady(): Promise<void>
  stop(): Promise<number>
}

async function start(t: TestContext, prepare: (cluster: FakeCluster) => void = () => undefined): Promise<Running> {
  const cluster = createFakeCluster({ clock: () => bench.sigstore.clock() })
  const needed = [
    'CustomResourceDefinition',
    'Secret',
    'ValidatingWebhookConfiguration',
    'MutatingWebhookConfiguration',
  ]
  for (const manifest of installationManifests({ ...DEFAULTS, image: 'countersign:test' })) {
    if (needed.some((kind) => kind === manifest['kind'])) cluster.put(manifest)
  }
  prepare(cluster)
  const interruption = new AbortController()
  let addresses: { readonly webhooks: string; readonly health: string } | undefined
  const running = bench.run(
    admission,
    [
      ...['--port', '0', '--health-port', '0', '--output', 'json', '--trusted-root', 'root.json'],
      ...['--mirror', 'ghcr.io=localhost:8080', '--namespace', NAMESPACE],
    ],
    {
      cluster: cluster.api,
      interrupted: interruption.signal,
      onHost: (host) => {
        const { write } = host.terminal
        host.terminal.write = (output) => {
          write(output)
          addresses = JSON.parse(String(output)) as typeof addresses
        }
      },
    },
  )
  t.after(async () => {
    interruption.abort()
    await running
  })
  while (addresses === undefined) await Promise.race([running, turn()])
  const { webhooks, health } = addresses
  const review = (path: string, image: string): Promise<Response> =>
    post(`${webhooks}${path}`, JSON.stringify(admissionReview(pod(image), { uid: 'u-1' })))
  const answer = (path: string) => get(`${health}${path}`)
  return {
    cluster,
    review,
    until: async (path, image, wanted) => {
      for (;;) {
        const response = await review(path, image)
        if (wanted(response)) return response
        await turn()
      }
    },
    health: answer,
    whenReady: async () => {
      while ((await answer('/readyz')).status !== 200) await turn()
    },
    stop: async () => {
      interruption.abort()
      return (await running).code
    },
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function post(url: string, body: string): Promise<Response> {
  return new Promise((resolve, reject) => {
    const options = { method: 'POST', rejectUnauthorized: false, headers: { 'content-type': 'application/json' } }
    const outgoing = request(url, options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => {
        resolve((JSON.parse(text) as { response: Response }).response)
      })
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

function get(url: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = plainRequest(url, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body })
      })
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

describe('admission in a cluster', { timeout: 60_000 }, () => {
  test('says until when its certificate can be believed', async (t) => {
    const running = await start(t)
    const { body } = await running.health('/metrics')
    const [, seconds] = /^countersign_webhook_certificate_expiry_timestamp_seconds (\S+)$/m.exec(body) ?? []
    const days = (Number(seconds) * 1000 - bench.sigstore.clock()) / 86_400_000
    assert.ok(days > 31 && days < 1000, String(seconds)) // renewed at thirty
  })

  test('policies of the cluster decide, a changed one is obeyed, a deleted one no longer', async (t) => {
    const running = await start(t, (cluster) => cluster.put(policy('signed', 'ann@example.com') as never))
    await running.whenReady()
    assert.equal((await running.review('/validations/sigstore', signed)).allowed, true)
    const denied = await running.review('/validations/sigstore', bare)
    assert.match(denied.status?.message ?? '', /^validation failed: failed policy: signed: /)
    running.cluster.put(policy('signed', 'bob@example.com') as never)
    const changed = await running.until('/validations/sigstore', signed, ({ allowed }) => !allowed)
    assert.match(changed.status?.message ?? '', /expects: bob@example\.com/)
    running.cluster.remove({
      apiVersion: 'policy.sigstore.dev/v1beta1',
      resource: 'clusterimagepolicies',
      name: 'signed',
    })
    const gone = await running.until(
      '/validations/sigstore',
      signed,
      ({ status }) => status?.message.includes('no matching policies') === true,
    )
    assert.equal(gone.allowed, false)
    assert.equal((await running.review('/validations/kyverno', bare)).allowed, true)
    assert.equal(await running.stop(), 0)
  })

  test('the certificate is in the Secret, and its authority in both configurations', async (t) => {
    const { cluster, whenReady } = await start(t)
    await whenReady()
    const secret = cluster.get({
      ...{ apiVersion: 'v1', resource: 'secrets', namespace: NAMESPACE },
      name: INSTALLATION.certificates,
    })
    const data = secret?.['data'] as Record<string, string>
    const leaf = new X509Certificate(Buffer.from(data['tls.crt'] ?? '', 'base64'))
    assert.equal(leaf.checkHost(`countersign-webhook.${NAMESPACE}.svc`) !== undefined, true)
    for (const [resource, name] of [
      ['validatingwebhookconfigurations', INSTALLATION.validatingWebhooks],
      ['mutatingwebhookconfigurations', INSTALLATION.mutatingWebhooks],
    ] as const) {
      const configuration = cluster.get({ apiVersion: 'admissionregistration.k8s.io/v1', resource, name })
      const webhooks = configuration?.['webhooks'] as { clientConfig: { caBundle: string } }[]
      for (const { clientConfig } of webhooks) {
        const authority = new X509Certificate(Buffer.from(clientConfig.caBundle, 'base64'))
        assert.equal(leaf.verify(authority.publicKey), true)
      }
    }
  })

  test('until the policies are loaded everything is denied, and while the API server is away what was known decides', async (t) => {
    const running = await start(t, (cluster) => cluster.put(policy('signed', 'ann@example.com') as never))
    await running.whenReady()
    running.cluster.away()
    assert.equal((await running.review('/validations/sigstore', bare)).allowed, false)
    running.cluster.back()
    running.cluster.put(policy('signed', 'bob@example.com') as never)
    await running.until('/validations/sigstore', signed, ({ allowed }) => !allowed)
  })
})
