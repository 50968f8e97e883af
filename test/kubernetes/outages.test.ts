import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { json } from 'node:stream/consumers'
import { connect } from 'node:tls'
import { randomBytes } from '#crypto/random'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { writeCertificateState } from '#gate/certificates/certificate-secret'
import { issueServingCertificate } from '#gate/certificates/issue'
import { INSTALLATION, webhookHost } from '#gate/installation'
import type { TestCluster } from './cluster.js'
import { Opened } from './opened.js'
import { startClusterAndImages } from './world.js'
import { install, startReplica, type Replica } from './gate.js'
import type { SignedImages } from './images.js'
import { ask, collectionOf, eventually, pod, type Outcome } from './workloads.js'

const NAMESPACE = 'team-a'
const NAMESPACE_OF_GATE = 'countersign-system'
const DAY = 86_400_000
const ANN = 'ann@example.com'
const TIMEOUT_SECONDS = 3

const opened = new Opened()
let cluster: TestCluster
let images: SignedImages
let replicas: Replica[] = []
let signed: string
let bare: string
/** Where a registry should be. */
let hanging: string

before(async () => {
  ;[cluster, images] = await startClusterAndImages(opened)
  hanging = await startHangingServer()
  await install(cluster, '--webhook-timeout', `${String(TIMEOUT_SECONDS)}s`, '--policies', 'sigstore')
  signed = await images.push('acme/app', 'signed', [ANN])
  bare = await images.push('acme/bare', 'not signed')
  const labels = { 'policy.sigstore.dev/include': 'true' }
  await cluster.admin.create(collectionOf({ apiVersion: 'v1', kind: 'Namespace' }), {
    metadata: { name: NAMESPACE, labels },
  })
  const accounts = { apiVersion: 'v1', resource: 'serviceaccounts', namespace: NAMESPACE }
  await cluster.admin.create(accounts, { metadata: { name: 'default' } })
  const spec = {
    images: [{ glob: 'ghcr.io/acme/**' }, { glob: 'hanging.example/**' }],
    authorities: [{ keyless: { identities: [{ issuer: images.issuer, subject: ANN }] } }],
  }
  const policies = { apiVersion: 'policy.sigstore.dev/v1beta1', resource: 'clusterimagepolicies' }
  await cluster.admin.create(policies, {
    apiVersion: policies.apiVersion,
    kind: 'ClusterImagePolicy',
    metadata: { name: 'p' },
    spec,
  })
  replicas = await Promise.all([start(), start()])
  await eventually(good, ({ allowed }) => allowed)
})
after(() => opened.stop())

async function start(): Promise<Replica> {
  const flags = [...images.admissionFlags, '--mirror', `hanging.example=${hanging}`]
  return opened.add(await startReplica(cluster, { flags }))
}

/** It takes connections, and says nothing. */
async function startHangingServer(): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => sockets.add(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  opened.add({
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  })
  return `localhost:${String((server.address() as AddressInfo).port)}`
}

function tryOut(object: JsonObject): Promise<Outcome> {
  return ask(cluster.admin, object, { namespace: NAMESPACE, dryRun: true })
}

function good(): Promise<Outcome> {
  return tryOut(pod('a', `ghcr.io/acme/app@${signed}`))
}

/** Asks without a pause, for as long as `work` takes; everything must be judged rightly. */
async function underLoad(work: () => Promise<unknown>): Promise<number> {
  let isOver = false
  let count = 0
  const failures: string[] = []
  const client = async (): Promise<void> => {
    while (!isOver) {
      count++
      const admits = count % 4 !== 0
      const outcome = admits ? await good() : await tryOut(pod('a', `ghcr.io/acme/bare@${bare}`))
      const isRight = admits ? outcome.allowed : outcome.message.includes('failed policy: p')
      if (!isRight) failures.push(outcome.message)
    }
  }
  const clients = Array.from({ length: 8 }, client)
  try {
    await work()
  } finally {
    isOver = true
    await Promise.all(clients)
  }
  assert.deepEqual(failures.slice(0, 3), [], `${String(failures.length)} of ${String(count)}`)
  return count
}

describe('what happens to the gate', () => {
  test('a replica that is told to stop loses no request', async () => {
    const [leaving] = replicas.splice(0, 1)
    await underLoad(async () => {
      await leaving?.leave()
      replicas.push(await start())
    })
  })

  test('a replica that dies is missed by nobody, once it is out of the service', async () => {
    const [dying] = replicas.splice(0, 1)
    assert.ok(dying !== undefined)
    await dying.stop()
    cluster.network.remove(dying.endpoint)
    await eventually(good, ({ allowed }) => allowed)
    await underLoad(() => eventually(good, ({ allowed }) => allowed))
    replicas.push(await start())
  })

  test('with every replica dead, everything is refused; with one back, everything is judged', async () => {
    for (const replica of replicas.splice(0)) {
      await replica.stop()
      cluster.network.remove(replica.endpoint)
    }
    const { allowed, message } = await good()
    assert.deepEqual([allowed, message.includes('failed calling webhook')], [false, true], message)
    replicas.push(await start())
    await eventually(good, (outcome) => outcome.allowed)
    assert.equal((await tryOut(pod('a', `ghcr.io/acme/bare@${bare}`))).allowed, false)
  })

  test('a gate that hangs is a refusal after the time that it has', async () => {
    cluster.network.hang()
    const began = performance.now()
    const { allowed, message } = await good()
    const seconds = (performance.now() - began) / 1000
    assert.deepEqual([allowed, /context deadline exceeded|timeout/i.test(message)], [false, true], message)
    assert.ok(seconds < TIMEOUT_SECONDS * 3, String(seconds))
    cluster.network.resume()
    await eventually(good, (outcome) => outcome.allowed)
  })

  test('a registry that hangs is a refusal that names it, and keeps nobody else waiting', async () => {
    let refused: Outcome | undefined
    await underLoad(async () => {
      refused = await tryOut(pod('a', `hanging.example/app@${signed}`))
    })
    const { allowed, message = '' } = refused ?? {}
    assert.equal(allowed, false)
    assert.ok(message.includes('denied the request') && message.includes('hanging.example/app'), message)
  })

  test('an API server that was away is followed again, and meanwhile nothing is forgotten', async () => {
    await cluster.killApiServer()
    await cluster.startApiServer()
    const { seen } = await eventually(good, ({ allowed }) => allowed)
    assert.equal(seen.allowed, true)
    const policies = { apiVersion: 'policy.sigstore.dev/v1beta1', resource: 'clusterimagepolicies', name: 'p' }
    const nobody = [{ keyless: { identities: [{ issuer: images.issuer, subject: 'nobody@example.com' }] } }]
    const { spec } = await cluster.admin.get(policies)
    const change = (authorities: readonly JsonObject[]): Promise<unknown> =>
      cluster.admin.patch(policies, { kind: 'merge', body: { spec: { authorities } } })
    await change(nobody)
    await eventually(good, ({ allowed }) => !allowed)
    await change((spec as { readonly authorities: readonly JsonObject[] }).authorities)
    await eventually(good, ({ allowed }) => allowed)
  })

  test('certificates are replaced under load, without a request that fails', async () => {
    replicas.push(await start())
    const at = { apiVersion: 'v1', resource: 'secrets', namespace: NAMESPACE_OF_GATE, name: INSTALLATION.certificates }
    const replace = async (data: JsonObject): Promise<void> => {
      await cluster.admin.patch(at, { kind: 'merge', body: { data } })
    }
    // One that has to be replaced soon; the gate makes and announces the next one by itself.
    const old = await issueServingCertificate({
      names: [{ kind: 'dns', value: webhookHost(NAMESPACE_OF_GATE) }],
      now: Date.now() - 70 * DAY,
      random: randomBytes,
    })
    await replace(writeCertificateState({ current: old, next: undefined, previous: undefined }))
    const { serialNumber } = new X509Certificate(old.certificate)
    await eventually(shown, (serials) => serials.every((serial) => serial === serialNumber))
    const { seen: announced } = await eventually(
      () => cluster.admin.get(at),
      ({ data }) => 'next-since' in (data as JsonObject),
    )
    await eventually(good, ({ allowed }) => allowed)
    await eventuallyBelieved(announced['data'] as JsonObject)
    const count = await underLoad(async () => {
      // As if that had been long enough ago for every API server.
      await replace({ 'next-since': encodeBase64(encodeUtf8(String(Date.now() - DAY))) })
      await eventually(shown, (serials) => serials.every((serial) => serial !== serialNumber))
    })
    assert.ok(count > 100, String(count))
    // On new connections the API server believes what it is shown, too.
    cluster.network.cut()
    await eventually(good, ({ allowed }) => allowed)
    const now = await cluster.admin.get(at)
    assert.equal((now['data'] as JsonObject)['tls.crt'], (announced['data'] as JsonObject)['next-tls.crt'])
  })
})

/**
 * The API server has heard of the certificate that will be shown next: it believes somebody who shows it already. Mutating and
 * validating webhooks are announced apart, so both have to let pass what the gate would refuse.
 */
async function eventuallyBelieved(secret: JsonObject): Promise<void> {
  const text = (name: string): string => decodeUtf8(decodeBase64(secret[name] as string))
  const impostor = createServer({ cert: text('next-tls.crt'), key: text('next-tls.key') }, (request, response) => {
    void json(request).then((review) => {
      const { uid } = (review as { readonly request: { readonly uid: string } }).request
      const answer = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed: true } }
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    })
  }).listen(0, '127.0.0.1')
  await once(impostor, 'listening')
  const endpoint = { host: '127.0.0.1', port: (impostor.address() as AddressInfo).port }
  const { network } = cluster
  for (const replica of replicas) network.remove(replica.endpoint)
  network.add(endpoint)
  network.cut()
  await eventually(
    () => tryOut(pod('a', `ghcr.io/acme/bare@${bare}`)),
    ({ allowed }) => allowed,
  )
  network.remove(endpoint)
  for (const replica of replicas) network.add(replica.endpoint)
  network.cut()
  impostor.close()
  await eventually(good, ({ allowed }) => allowed)
}

/** The serial numbers of the certificates that the replicas show. */
function shown(): Promise<readonly string[]> {
  return Promise.all(
    replicas.map(
      ({ endpoint }) =>
        new Promise<string>((resolve, reject) => {
          const socket = connect({ ...endpoint, rejectUnauthorized: false, servername: webhookHost(NAMESPACE_OF_GATE) })
          socket.once('error', reject)
          socket.once('secureConnect', () => {
            resolve(socket.getPeerCertificate().serialNumber)
            socket.destroy()
          })
        }),
    ),
  )
}
