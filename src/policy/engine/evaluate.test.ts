/** Policies against images of a whole Sigstore in memory; the attacks first. @module */
import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { createRegistryClient } from '#clients/registry/client'
import { ANONYMOUS } from '#clients/registry/credentials'
import { mirroredReader } from '#clients/registry/mirrored'
import { publicKeyFromPem } from '#crypto/public-key'
import { command as attest } from '#cli/commands/attest'
import { command as generate } from '#cli/commands/generate-key-pair'
import { command as sign } from '#cli/commands/sign'
import { createReviewPorts } from '#gate/review-ports'
import { openSigningBench, type SigningBench } from '#testing/cli/signing-bench'
import { podOf, reviewOf } from '#testing/policy/reviews'
import { deadlineOf } from '../internal/deadline.js'
import { compileClusterImagePolicy } from '../cip/compile.js'
import { clusterOfDocuments } from '../internal/cluster-of-documents.js'
import { readDocuments } from '../internal/documents.js'
import { DEFAULT_SOURCE, DEFAULT_TRUST } from '../internal/attestor.js'
import type { Attestor } from '../internal/attestor.js'
import type { Demand } from '../internal/demand.js'
import type { CompiledException } from '../internal/exception.js'
import { PolicyError } from '../internal/policy-error.js'
import type { CompiledPolicy } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { evaluate } from './evaluate.js'
import type { EvaluationRequest } from './evaluate.js'
import type { EnginePorts } from './ports.js'

const KEYLESS = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']
const KEYED = ['--key', 'cosign.key', '--use-signing-config=false', '--tlog-upload=false', '-y']

let bench: SigningBench
let ports: EnginePorts
let key: string
let otherKey: string
/** Names as the policies have them; `signed` by Ann and by the key, `attested` by Ann only, `bare` by nobody. */
const image = { signed: '', attested: '', bare: '' }

before(async () => {
  bench = await openSigningBench()
  await bench.run(generate, [])
  const outcome = await bench.run(generate, ['--output-key-prefix', 'other'])
  const text = (name: string): string => new TextDecoder().decode(outcome.host.content(name))
  key = text('cosign.pub')
  otherKey = text('other.pub')
  for (const name of ['signed', 'attested', 'bare'] as const) {
    image[name] = (await bench.pushImage(`acme/${name}`)).replace('localhost:8080', 'ghcr.io')
  }
  const local = (name: string): string => name.replace('ghcr.io', 'localhost:8080')
  const files = {
    'vuln.json': '{"invocation": {}, "metadata": {}, "scanner": {"uri": "right"}}',
    'other.json': '{"invocation": {}, "metadata": {}, "scanner": {"uri": "wrong"}}',
  }
  const run = async (...words: Parameters<SigningBench['run']>): Promise<void> => {
    const { code, stderr } = await bench.run(words[0], words[1], { files })
    assert.equal(code, 0, stderr)
  }
  await run(sign, [...KEYLESS, '-a', 'stage=prod', local(image.signed)])
  await run(sign, [...KEYED, '-a', 'stage=test', local(image.signed)])
  for (const predicate of ['vuln.json', 'other.json'])
    await run(attest, [...KEYLESS, '--type', 'vuln', '--predicate', predicate, local(image.attested)])
  const client = createRegistryClient({
    fetch: bench.sigstore.fetch,
    clock: bench.sigstore.clock,
    keychain: () => Promise.resolve(ANONYMOUS),
    allowHttp: true,
  })
  ports = createReviewPorts(mirroredReader(client, new Map([['ghcr.io', 'localhost:8080']])), {
    trustRoot: (name) =>
      name === undefined || name === 'mine'
        ? Promise.resolve(bench.sigstore.trustedRoot)
        : Promise.reject(new PolicyError('POLICY_TRUST_ROOT', `trustRootRef ${name} not found`)),
    key: (source) =>
      source.kind === 'secret' && source.name === 'good'
        ? Promise.resolve({ key: publicKeyFromPem(key) })
        : Promise.reject(new PolicyError('POLICY_KEY', 'the secret is not there')),
    cluster: clusterOfDocuments([]),
    clock: bench.sigstore.clock,
  })
})

const ann = (extra = ''): string =>
  `{name: ann, keyless: {identities: [{issuer: ${bench.issuer}, subject: ann@example.com}]}${extra}}`

async function cip(authorities: string, more = ''): Promise<CompiledPolicy> {
  const text = `apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata: {name: p}
spec: {images: [{glob: 'ghcr.io/acme/**'}], authorities: [${authorities}]${more}}`
  const [document] = await readDocuments(text, 'p.yaml')
  return await compileClusterImagePolicy(document!.value, {
    failOnEmptyAuthorities: false,
    ports: {
      remoteText: () => Promise.reject(new PolicyError('POLICY_TEXT', 'unreachable')),
      configMapText: () => Promise.reject(new PolicyError('POLICY_TEXT', 'no such ConfigMap')),
      clock: () => 0,
    },
  })
}

const judge = async (policies: readonly CompiledPolicy[], review: Review, more: Partial<EvaluationRequest> = {}) =>
  await evaluate({
    policies,
    review,
    ports,
    deadline: deadlineOf(new AbortController().signal),
    digestsMustStand: false,
    unmatched: 'deny',
    ...more,
  })

async function denied(
  policies: readonly CompiledPolicy[],
  review: Review,
  text: RegExp,
  more: Partial<EvaluationRequest> = {},
): Promise<void> {
  const verdict = await judge(policies, review, more)
  assert.equal(verdict.allowed, false, 'it was admitted')
  assert.match(verdict.message, text)
  assert.deepEqual(verdict.pins, [])
}

async function admitted(policies: readonly CompiledPolicy[], review: Review, more: Partial<EvaluationRequest> = {}) {
  const verdict = await judge(policies, review, more)
  assert.equal(verdict.allowed, true, verdict.message)
  return verdict
}

const pem = (text: string): string => JSON.stringify(text)

describe('ClusterImagePolicy', () => {
  test('an unsigned image', async () => {
    await denied(
      [await cip(ann())],
      podOf(image.bare),
      /failed policy: p: spec\.containers\[0\]\.image\n.*signature keyless validation failed for authority ann for ghcr\.io\/acme\/bare@sha256:\w+: no signatures found/,
    )
  })

  test('signed by another: who it was is told', async () => {
    const bob = `{keyless: {identities: [{issuer: ${bench.issuer}, subject: bob@example.com}]}}`
    await denied(
      [await cip(bob)],
      podOf(image.signed),
      /no matching signatures: .*none of the expected identities matched what was in the certificate, got subjects \[ann@example\.com\] with issuer http/,
    )
    const { rules } = await judge([await cip(bob)], podOf(image.signed))
    assert.deepEqual(rules[0]?.signers, [{ subjects: ['ann@example.com'], issuer: bench.issuer }])
    assert.match(rules[0].expected.join(), /bob@example\.com/)
  })

  test('an attestation is not a signature on the image', async () => {
    await denied([await cip(ann())], podOf(image.attested), /no signatures found/)
  })

  test('another key, and a key that cannot be had', async () => {
    await denied([await cip(`{key: {data: ${pem(otherKey)}}}`)], podOf(image.signed), /signature key validation failed/)
    await denied([await cip('{key: {secretRef: {name: bad}}}')], podOf(image.signed), /the secret is not there/)
    await admitted([await cip('{key: {secretRef: {name: good}}}')], podOf(image.signed))
    await admitted([await cip(`{key: {data: ${pem(key)}}}`)], podOf(image.signed))
  })

  test('a key that must be logged, and was not', async () => {
    await denied(
      [await cip(`{key: {data: ${pem(key)}}, ctlog: {url: http://rekor}}`)],
      podOf(image.signed),
      /signature not found in transparency log/,
    )
  })

  test('a trust root that is not there', async () => {
    await denied(
      [await cip(ann().replace('keyless: {', 'keyless: {trustRootRef: gone, '))],
      podOf(image.signed),
      /trustRootRef gone not found/,
    )
    await admitted([await cip(ann().replace('keyless: {', 'keyless: {trustRootRef: mine, '))], podOf(image.signed))
  })

  test('a time-stamp that is asked for must be there', async () => {
    await denied(
      [await cip(`{key: {data: ${pem(key)}}, rfc3161timestamp: {trustRootRef: mine}}`)],
      podOf(image.signed),
      /signature TSA validation failed/,
    )
  })

  test('no authorities admit nothing', async () => {
    await denied([await cip('')], podOf(image.signed), /an empty policy admits nothing/)
  })

  test('static words', async () => {
    await denied(
      [await cip('{static: {action: fail, message: never}}')],
      podOf(image.signed),
      /disallowed by static policy: never/,
    )
    await admitted([await cip('{static: {action: pass}}')], podOf(image.bare))
  })

  test('any authority of a policy, but every policy', async () => {
    await admitted([await cip(`{key: {data: ${pem(otherKey)}}}, ${ann()}`)], podOf(image.signed))
    await denied([await cip(ann()), await cip(`{key: {data: ${pem(otherKey)}}}`)], podOf(image.signed), /authority-0/)
  })

  test('every container, and image volumes', async () => {
    await denied([await cip(ann())], podOf(image.signed, image.bare), /containers\[1\]/)
    for (const group of ['initContainers', 'ephemeralContainers']) {
      const spec = { containers: [{ name: 'a', image: image.signed }], [group]: [{ name: 'b', image: image.bare }] }
      await denied([await cip(ann())], reviewOf('Pod', { spec }), new RegExp(group))
    }
    const volumes = [{ name: 'v', image: { reference: image.bare } }]
    await denied(
      [await cip(ann())],
      reviewOf('Pod', { spec: { containers: [], volumes } }),
      /volumes\[0\]\.image\.reference/,
    )
  })

  test('pods of other kinds', async () => {
    const template = { spec: { containers: [{ name: 'a', image: image.bare }] } }
    await denied(
      [await cip(ann())],
      reviewOf('Deployment', { spec: { template } }),
      /spec\.template\.spec\.containers\[0\]/,
    )
    await denied(
      [await cip(ann())],
      reviewOf('CronJob', { spec: { jobTemplate: { spec: { template } } } }),
      /spec\.jobTemplate\.spec\.template\.spec/,
    )
  })

  test('images that are none', async () => {
    for (const odd of [
      '',
      'A B',
      '@',
      'ghcr.io/acme/signed@sha256:00',
      `ghcr.io/${'a'.repeat(2000)}`,
      'ghcr.io/acme/signed:latest@sha512:00',
    ]) {
      if (odd === '') continue
      const verdict = await judge([await cip(ann())], podOf(odd))
      assert.equal(verdict.allowed, false, odd)
    }
    const spec = { containers: [{ name: 'a', image: { toString: 'x' } }] }
    await denied([await cip(ann())], reviewOf('Pod', { spec }), /the image is not a text/)
  })

  test('an image that no policy is about', async () => {
    await denied(
      [await cip(ann())],
      podOf('quay.io/other/app:1'),
      /no matching policies: spec\.containers\[0\]\.image\nquay\.io\/other\/app:1/,
    )
    const warned = await admitted([await cip(ann())], podOf('quay.io/other/app:1'), { unmatched: 'warn' })
    assert.match(warned.warnings.join(), /no matching policies/)
    await admitted([await cip(ann())], podOf('quay.io/other/app:1'), { unmatched: 'allow' })
  })

  test('mode warn admits with the reason', async () => {
    const verdict = await admitted([await cip(ann(), ', mode: warn')], podOf(image.bare))
    assert.match(verdict.warnings.join(), /failed policy: p/)
    // A warning beside a refusal does not soften the refusal.
    await denied([await cip(ann(), ', mode: warn'), await cip(ann())], podOf(image.bare), /failed policy: p/)
  })

  test('a tag is resolved once, and what was verified is what is pinned', async () => {
    const tag = image.signed.replace(/@.*/, ':latest')
    let times = 0
    const counting: EnginePorts = { ...ports, resolve: (...given) => (times++, ports.resolve(...given)) }
    const verdict = await admitted([await cip(ann()), await cip(`{key: {data: ${pem(key)}}}`)], podOf(tag, tag), {
      ports: counting,
    })
    assert.equal(times, 1)
    assert.deepEqual(
      verdict.pins.map(({ to }) => to),
      [`${tag}@${image.signed.split('@')[1]!}`, `${tag}@${image.signed.split('@')[1]!}`],
    )
    await denied([await cip(ann())], podOf(tag), /must be an image digest: spec\.containers\[0\]\.image/, {
      digestsMustStand: true,
    })
  })

  test('a tag that is not there', async () => {
    await denied([await cip(ann())], podOf('ghcr.io/acme/none:1'), /failed policy: p/)
  })

  test('a registry that does not answer: the message says what was being waited for', async () => {
    const controller = new AbortController()
    const hanging: EnginePorts = {
      ...ports,
      attachments: () =>
        new Promise(() => {
          controller.abort()
        }),
    }
    await denied(
      [await cip(ann())],
      podOf(image.signed),
      /context was canceled before validation completed: waiting for signatures of ghcr\.io\/acme\/signed@/,
      { ports: hanging, deadline: deadlineOf(controller.signal) },
    )
  })

  test('a registry that breaks is no unsigned image, and no admission', async () => {
    const broken: EnginePorts = { ...ports, attachments: () => Promise.reject(new TypeError('bug')) }
    await denied([await cip(ann())], podOf(image.signed), /an error that was not expected/, { ports: broken })
  })

  test('scaling down passes, unless the image changes with it', async () => {
    const deployment = (replicas: number, name: string) => ({
      spec: { replicas, template: { spec: { containers: [{ name: 'a', image: name }] } } },
    })
    const update = { operation: 'UPDATE' as const, oldObject: deployment(3, image.bare) }
    await admitted([await cip(ann())], reviewOf('Deployment', deployment(1, image.bare), update))
    await denied([await cip(ann())], reviewOf('Deployment', deployment(5, image.bare), update), /no signatures/)
    await denied([await cip(ann())], reviewOf('Deployment', deployment(1, image.attested), update), /no signatures/)
  })

  test('what is being deleted is let go; a timestamp that somebody writes is not believed', async () => {
    const object = {
      metadata: { deletionTimestamp: '2025-01-01T00:00:00Z' },
      spec: { containers: [{ name: 'a', image: image.bare }] },
    }
    const update = { operation: 'UPDATE' as const }
    await admitted([await cip(ann())], reviewOf('Pod', object, { ...update, oldObject: object }))
    await denied([await cip(ann())], reviewOf('Pod', object), /no signatures/)
    const running = { spec: object.spec }
    await denied([await cip(ann())], reviewOf('Pod', object, { ...update, oldObject: running }), /no signatures/)
    const other = { ...object, spec: { containers: [{ name: 'a', image: image.signed }] } }
    await denied([await cip(ann())], reviewOf('Pod', object, { ...update, oldObject: other }), /no signatures/)
  })

  describe('attestations', () => {
    const vuln = (uri: string): string =>
      `, attestations: [{name: scan, predicateType: vuln, policy: {type: cue, data: 'predicate: scanner: uri: "${uri}"'}}]`

    test('any statement that satisfies suffices; the signature is not asked for', async () => {
      await admitted([await cip(ann(vuln('right')))], podOf(image.attested))
      await admitted([await cip(ann(vuln('wrong')))], podOf(image.attested))
      await denied(
        [await cip(ann(vuln('third')))],
        podOf(image.attested),
        /failed evaluating cue policy for scan: failed to evaluate the policy with error: predicate\.scanner\.uri/,
      )
    })

    test('of another type, and of nobody', async () => {
      const spdx = ", attestations: [{name: bom, predicateType: 'https://spdx.dev/Document'}]"
      await denied(
        [await cip(ann(spdx))],
        podOf(image.attested),
        /no matching attestations with type https:\/\/spdx\.dev\/Document/,
      )
      await denied([await cip(ann(vuln('right')))], podOf(image.signed), /no matching attestations/)
      await denied(
        [await cip(`{key: {data: ${pem(key)}}${vuln('right')}}`)],
        podOf(image.attested),
        /attestation key validation failed/,
      )
    })

    test('all of several', async () => {
      const both =
        ", attestations: [{name: scan, predicateType: vuln}, {name: bom, predicateType: 'https://spdx.dev/Document'}]"
      await denied([await cip(ann(both))], podOf(image.attested), /spdx/)
    })
  })

  describe('the policy on the whole', () => {
    const cue = (data: string, more = ''): string => `, policy: {type: cue, data: ${JSON.stringify(data)}${more}}`

    test('is shown who matched', async () => {
      const subject = 'authorityMatches: ann: signatures: [...{subject: "ann@example.com"}]'
      await admitted([await cip(ann(), cue(subject))], podOf(image.signed))
      await denied(
        [await cip(ann(), cue(subject.replace('ann@', 'bob@')))],
        podOf(image.signed),
        /failed evaluating cue policy for ClusterImagePolicy: failed to evaluate the policy with error: .*subject/,
      )
    })

    test('does not run unless an authority matched', async () => {
      await denied(
        [await cip(`{key: {data: ${pem(otherKey)}}}`, cue('a: 1'))],
        podOf(image.signed),
        /no matching signatures/,
      )
    })

    test('configuration, specification and metadata only when asked for', async () => {
      const config = 'config: "linux/amd64": architecture: "arm64"'
      await admitted([await cip(ann(), cue(config))], podOf(image.signed))
      await denied([await cip(ann(), cue(config, ', fetchConfigFile: true'))], podOf(image.signed), /config/)
      await denied(
        [await cip(ann(), cue('metadata: name: "x"', ', includeObjectMeta: true'))],
        podOf(image.signed),
        /metadata\.name/,
      )
      await denied(
        [await cip(ann(), cue('typemeta: kind: "Job"', ', includeTypeMeta: true'))],
        podOf(image.signed),
        /typemeta\.kind/,
      )
      await denied(
        [await cip(ann(), cue('spec: containers: []', ', includeSpec: true'))],
        podOf(image.signed),
        /spec\.containers/,
      )
    })

    test('one that cannot be had refuses, it does not fall away', async () => {
      const remote = `, policy: {type: cue, remote: {url: https://a, sha256sum: ${'a'.repeat(64)}}}`
      await denied([await cip(ann(), remote)], podOf(image.signed), /could not be had from https:\/\/a/)
      await denied(
        [await cip(ann(), ', policy: {type: cue, configMapRef: {name: c, key: k}}')],
        podOf(image.signed),
        /no such ConfigMap/,
      )
    })
  })
})

describe('the internal policy itself', () => {
  const attestor = (change: Partial<Attestor>): Attestor => ({
    name: 'a',
    signer: { kind: 'key', source: { kind: 'inline', key: publicKeyFromPem(key) }, digest: undefined },
    trust: DEFAULT_TRUST,
    evidence: { tlog: 'ignored', timestamp: 'accepted', sct: 'required' },
    source: DEFAULT_SOURCE,
    annotations: new Map(),
    ...change,
  })

  async function withDemand(demand: Demand): Promise<CompiledPolicy> {
    const policy = await cip('')
    return { ...policy, rules: policy.rules.map((rule) => ({ ...rule, demand })) }
  }

  test('an attestor that says nothing about the signer takes nobody', async () => {
    const match = [{ kind: 'exact', text: 'x' }] as const
    const some = { issuer: match, subject: match, claims: new Map() }
    for (const anyOf of [[], [{ ...some, issuer: [] }], [{ ...some, subject: [] }], [some, { ...some, subject: [] }]]) {
      const demand: Demand = { kind: 'signature', attestor: attestor({ signer: { kind: 'keyless', anyOf } }) }
      await denied(
        [await withDemand(demand)],
        podOf(image.signed),
        /does not say who must have signed|no matching signatures/,
      )
    }
  })

  test('a count of zero, an empty set, and a nested empty set are never met', async () => {
    const empty: Demand = { kind: 'count', name: '', required: 0, of: [] }
    for (const demand of [empty, { ...empty, required: 1 }, { ...empty, required: 1, of: [empty] }])
      await denied([await withDemand(demand)], podOf(image.signed), /failed policy/)
  })

  test('one attestor does not count twice towards two', async () => {
    const other = attestor({
      signer: { kind: 'key', source: { kind: 'inline', key: publicKeyFromPem(otherKey) }, digest: undefined },
    })
    const of: Demand[] = [
      { kind: 'signature', attestor: attestor({}) },
      { kind: 'signature', attestor: other },
    ]
    await denied(
      [await withDemand({ kind: 'count', name: '', required: 2, of })],
      podOf(image.signed),
      /no matching signatures/,
    )
    await admitted([await withDemand({ kind: 'count', name: '', required: 1, of })], podOf(image.signed))
  })

  test('annotations are those of the signature that counts, not of another', async () => {
    // The key signed stage=test; stage=prod is in Ann's signature beside it.
    const annotated = (text: string): Demand => ({
      kind: 'signature',
      attestor: attestor({ annotations: new Map([['stage', { kind: 'exact', text }]]) }),
    })
    await admitted([await withDemand(annotated('test'))], podOf(image.signed))
    await denied([await withDemand(annotated('prod'))], podOf(image.signed), /annotation/)
  })

  test('all statements must satisfy where a policy says so', async () => {
    const ask = async (statements: 'any' | 'all'): Promise<CompiledPolicy> => {
      const policy = await cip(
        ann(
          `, attestations: [{name: scan, predicateType: vuln, policy: {type: cue, data: 'predicate: scanner: uri: "right"'}}]`,
        ),
      )
      const rules = policy.rules.map((rule) => {
        assert.ok(rule.kind === 'images' && rule.demand?.kind === 'count')
        const [set] = rule.demand.of
        assert.ok(set?.kind === 'count')
        return { ...rule, demand: { ...set, of: set.of.map((each) => ({ ...each, statements })) } }
      })
      return { ...policy, rules }
    }
    await admitted([await ask('any')], podOf(image.attested))
    await denied([await ask('all')], podOf(image.attested), /predicate\.scanner\.uri/)
  })

  test('a matcher that breaks refuses the resource, whatever the mode', async () => {
    const policy = await cip(ann(), ', mode: warn')
    const broken = {
      matches: () => {
        throw new PolicyError('POLICY_FIELD', 'broken')
      },
      explained: [],
    }
    await denied(
      [{ ...policy, rules: policy.rules.map((rule) => ({ ...rule, matcher: broken })) }],
      podOf(image.signed),
      /broken/,
    )
  })
})

describe('exceptions', () => {
  const exception = (more: Partial<CompiledException>): CompiledException => ({
    name: 'ops/legacy',
    covers: ({ language, policy }) => language === 'ClusterImagePolicy' && policy === 'p',
    matcher: { explained: [], matches: () => true },
    contentHash: '',
    ...more,
  })

  test('an excused resource is skipped, and the verdict names the exception', async () => {
    const { rules } = await admitted([await cip(ann())], podOf(image.bare), { exceptions: [exception({})] })
    assert.deepEqual(
      rules.map(({ verdict, message }) => [verdict, message]),
      [['skipped', 'rule is skipped due to policy exception ops/legacy']],
    )
  })

  for (const [name, more] of [
    ['about another policy', { covers: () => false }],
    ['about other resources', { matcher: { explained: [], matches: () => false } }],
    ['of another namespace', { namespace: 'elsewhere' }],
    [
      'that cannot be judged',
      {
        matcher: {
          explained: [],
          matches: () => Promise.reject(new PolicyError('POLICY_CLUSTER', 'no signatures found out')),
        },
      },
    ],
  ] as const satisfies readonly (readonly [string, Partial<CompiledException>])[]) {
    test(`an exception ${name} excuses nothing`, async () => {
      await denied([await cip(ann())], podOf(image.bare), /no signatures found/, { exceptions: [exception(more)] })
    })
  }
})
