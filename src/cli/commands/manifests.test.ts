import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { loadAll } from 'js-yaml'
import type { JsonObject } from '#encoding/json'
import { runCommand } from '#cli/kit/run'
import { fakeHost } from '#testing/cli/fake-host'
import { command } from './manifests.js'

interface Manifest extends JsonObject {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string } & JsonObject
}

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

async function run(words: readonly string[], files: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const host = fakeHost({ files })
  const code = await runCommand(command, words, host)
  return { code, stdout: host.stdout(), stderr: host.stderr() }
}

async function printed(...words: readonly string[]): Promise<readonly Manifest[]> {
  const { code, stdout, stderr } = await run([...words, '-o', 'json'])
  assert.equal(code, 0, stderr)
  return (JSON.parse(stdout) as { readonly items: readonly Manifest[] }).items
}

function kinds(manifests: readonly Manifest[], kind: string): readonly string[] {
  return manifests.filter((each) => each.kind === kind).map(({ metadata }) => metadata.name)
}

function one(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.find((each) => each.kind === kind)
  assert.ok(found !== undefined)
  return found
}

interface Webhook {
  readonly name: string
  readonly failurePolicy: string
  readonly clientConfig: { readonly service: { readonly path: string } }
  readonly namespaceSelector: {
    readonly matchExpressions: readonly { readonly key: string; readonly values: readonly string[] }[]
  }
  readonly rules: readonly { readonly apiGroups: readonly string[]; readonly resources: readonly string[] }[]
}

/** Asks about policies, not about what runs. */
const ABOUT_POLICIES = 'policies.countersign.dev'

function allWebhooks(manifests: readonly Manifest[], kind = 'ValidatingWebhookConfiguration'): readonly Webhook[] {
  return one(manifests, kind)['webhooks'] as unknown as readonly Webhook[]
}

/** Those that guard what runs. */
function webhooks(manifests: readonly Manifest[], kind?: string): readonly Webhook[] {
  return allWebhooks(manifests, kind).filter(({ name }) => name !== ABOUT_POLICIES)
}

describe('manifests', () => {
  test('YAML and JSON are the same objects', async () => {
    const { stdout } = await run([])
    assert.deepEqual(loadAll(stdout), await printed())
  })

  test('what is asked comes last, when there is somebody who answers', async () => {
    const order = (await printed()).map(({ kind }) => kind)
    assert.equal(order[0], 'Namespace')
    assert.deepEqual(order.slice(-2), ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration'])
  })

  test('everything that can be is in the namespace that was named', async () => {
    const manifests = await printed('-n', 'gate')
    const elsewhere = manifests.filter(({ metadata }) => ![undefined, 'gate'].includes(metadata.namespace))
    assert.deepEqual(elsewhere, [])
    assert.ok(!JSON.stringify(manifests).includes('countersign-system'))
  })

  test('every webhook refuses when nobody answers, and spares what must start without it', async () => {
    for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
      for (const { failurePolicy, namespaceSelector } of webhooks(await printed('-n', 'gate'), kind)) {
        assert.equal(failurePolicy, 'Fail')
        assert.deepEqual(namespaceSelector.matchExpressions[0]?.values, ['gate', 'kube-system'])
      }
    }
  })

  test('policies themselves are asked about, and can be repaired while nobody answers', async () => {
    const resources = async (...words: readonly string[]): Promise<readonly string[]> => {
      const found = allWebhooks(await printed(...words)).find(({ name }) => name === ABOUT_POLICIES)
      assert.equal(found?.failurePolicy, 'Ignore')
      return found.rules.flatMap((rule) => rule.resources)
    }
    assert.deepEqual(await resources('--policies', 'sigstore'), ['clusterimagepolicies', 'trustroots'])
    assert.ok((await resources()).includes('clusterpolicies'))
  })

  test('ephemeral containers are asked about', async () => {
    for (const { rules } of webhooks(await printed())) {
      assert.ok(rules.some(({ resources }) => resources.includes('pods/ephemeralcontainers')))
    }
  })

  test('a family of policies has its own webhook, and its own namespaces', async () => {
    const seen = async (...words: readonly string[]): Promise<readonly string[]> =>
      webhooks(await printed(...words)).map(
        ({ name, clientConfig, namespaceSelector: { matchExpressions } }) =>
          `${name} ${clientConfig.service.path} ${matchExpressions[1]?.key ?? 'all'}`,
      )
    const [sigstore, kyverno] = [
      'policy.sigstore.dev /validations/sigstore',
      'validate.kyverno.svc-fail /validations/kyverno',
    ]
    const [include, exclude] = ['policy.sigstore.dev/include', 'policy.sigstore.dev/exclude']
    assert.deepEqual(await seen(), [`${sigstore} ${include}`, `${kyverno} all`])
    assert.deepEqual(await seen('--enforce', 'opt-in'), [`${sigstore} ${include}`, `${kyverno} ${include}`])
    assert.deepEqual(await seen('--enforce', 'opt-out'), [`${sigstore} ${exclude}`, `${kyverno} ${exclude}`])
    assert.deepEqual(await seen('--policies', 'kyverno'), [`${kyverno} all`])
  })

  test('without pinning there is nothing to change requests', async () => {
    const manifests = await printed('--pin-digests', 'none')
    assert.deepEqual(kinds(manifests, 'MutatingWebhookConfiguration'), [])
    assert.ok(JSON.stringify(one(manifests, 'Deployment')).includes('--pin-digests=none'))
  })

  test('kinds that others have defined are left alone', async () => {
    const groups = async (crds: string): Promise<readonly string[]> => [
      ...new Set(
        kinds(await printed('--crds', crds), 'CustomResourceDefinition').map((name) =>
          name.slice(name.indexOf('.') + 1),
        ),
      ),
    ]
    assert.deepEqual(await groups('none'), [])
    assert.deepEqual(await groups('sigstore'), ['policy.sigstore.dev'])
    assert.deepEqual(await groups('kyverno'), ['kyverno.io', 'policies.kyverno.io', 'wgpolicyk8s.io'])
    assert.equal((await groups('all')).length, 4)
  })

  test('no right is wider than it must be', async () => {
    const rules = (await printed())
      .filter(({ kind }) => kind === 'ClusterRole' || kind === 'Role')
      .flatMap(
        (role) =>
          (role['rules'] ?? []) as unknown as readonly {
            resources: string[]
            verbs: string[]
            resourceNames?: string[]
          }[],
      )
    assert.ok(rules.every(({ resources, verbs }) => ![...resources, ...verbs].includes('*')))
    const writing = rules.filter(({ verbs }) =>
      verbs.some((verb) => ['create', 'update', 'patch', 'delete'].includes(verb)),
    )
    for (const { resources, resourceNames } of writing) {
      const own = resources.every((name) => /\/status$|reports$|^events$|^leases$/.test(name))
      assert.ok(own || resourceNames !== undefined, resources.join())
    }
    const secrets = (await printed('--pull-secrets=false')).find(({ kind }) => kind === 'ClusterRole')
    assert.ok(!JSON.stringify(secrets).includes('"secrets"'))
  })

  test('it fits where only restricted pods may run', async () => {
    const { spec } = one(await printed(), 'Deployment') as unknown as {
      readonly spec: { readonly template: { readonly spec: Readonly<Record<string, unknown>> } }
    }
    assert.deepEqual(spec.template.spec['securityContext'], {
      runAsNonRoot: true,
      runAsUser: 65532,
      runAsGroup: 65532,
      fsGroup: 65532,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    const [container] = spec.template.spec['containers'] as readonly JsonObject[]
    assert.deepEqual(container?.['securityContext'], {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
  })

  for (const [name, words] of [
    ['a namespace that is none', ['--namespace', 'A_b']],
    ['an excluded namespace that is none', ['--exclude-namespace', 'a,b/c']],
    ['no replica', ['--replicas', '0']],
    ['a minute for a verdict', ['--webhook-timeout', '60s']],
    ['half a second for a verdict', ['--webhook-timeout', '500ms']],
    ['policies of nobody', ['--policies', 'gatekeeper']],
    ['kinds of nobody', ['--crds', 'some']],
    ['a custom kind without a path', ['--custom-kind', 'Workflow.argoproj.io']],
    ['an argument', ['pod.yaml']],
  ] as const) {
    test(`refuses ${name}`, async () => {
      const { code, stdout } = await run(words)
      assert.notEqual(code, 0)
      assert.equal(stdout, '')
    })
  }

  test('refuses a trust root that the webhook could not read', async () => {
    const { code, stderr } = await run(['--trusted-root', 'root.json'], { 'root.json': '{"mediaType":"x"}' })
    assert.equal(code, 1)
    assert.match(stderr, /root\.json is no trusted root/)
  })
})
