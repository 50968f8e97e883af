/** The gate for the demo: the real program, and an API server's questions to it over HTTPS. @module */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'

/** A policy of Kyverno's, as somebody would write it for a cluster. */
export function policyFor({ registry, issuer, subject }) {
  return `apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata:
  name: signed-images
spec:
  validationFailureAction: Enforce
  rules:
    - name: signed-by-us
      match:
        any:
          - resources:
              kinds: [Pod]
      verifyImages:
        - imageReferences: ["${registry}/*"]
          attestors:
            - entries:
                - keyless:
                    issuer: ${issuer}
                    subject: ${subject}
`
}

/** Starts `countersign admission` over a policy in a file, and waits for the line that tells where it listens. */
export async function startGate({ program, folder, policy, env }) {
  const authority = join(folder, 'gate-ca.pem')
  const places = ['--policy', policy, '--tls-ca-out', authority, '--port', '0', '--health-port', '0']
  const args = ['admission', ...places, '--output', 'json', '--log-decisions', 'none', '--log-format', 'text']
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const gone = new Promise((resolve) => child.once('exit', resolve))
  let problems = ''
  child.stderr.setEncoding('utf8').on('data', (text) => (problems += text))
  const line = await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      if (text.includes('\n')) resolve(text.split('\n')[0])
    })
    child.once('exit', () => reject(new Error(`the gate did not start\n${problems}`)))
  })
  const { webhooks } = JSON.parse(line)
  return {
    url: webhooks,
    review: (path, resource) => post(`${webhooks}${path}?timeout=10s`, readFileSync(authority), reviewOf(resource)),
    stop: async () => {
      child.kill('SIGTERM')
      await gone
    },
  }
}

export function pod(name, image) {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'app', image }] } }
}

export function deployment(name, image) {
  const { spec } = pod(name, image)
  const labels = { app: name }
  const template = { metadata: { labels }, spec }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: { selector: { matchLabels: labels }, template },
  }
}

/** What the API server asks when somebody creates the resource. */
function reviewOf(object) {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion]
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: randomUUID(),
      kind: { group, version, kind: object.kind },
      resource: { group, version, resource: `${object.kind.toLowerCase()}s` },
      name: object.metadata.name,
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'kubernetes-admin' },
      object,
    },
  }
}

/** The response of the webhook, with its patch decoded. */
function post(url, ca, review) {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      url,
      { method: 'POST', ca, headers: { 'content-type': 'application/json' } },
      (incoming) => {
        let text = ''
        incoming.setEncoding('utf8').on('data', (chunk) => (text += chunk))
        incoming.once('end', () => {
          const { uid, patch, ...rest } = JSON.parse(text).response
          if (uid !== review.request.uid) reject(new Error('the answer is to another question'))
          resolve({ ...rest, patch: patch === undefined ? [] : JSON.parse(Buffer.from(patch, 'base64').toString()) })
        })
      },
    )
    outgoing.once('error', reject)
    outgoing.end(JSON.stringify(review))
  })
}
