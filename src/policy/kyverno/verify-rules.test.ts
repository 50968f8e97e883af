/** Rules of Kyverno's policies against signed images: digests, actions, exceptions, kinds. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { HttpError } from '#clients/http/http-error'
import { compileText, documentsOf, judged, ruleOf } from '#testing/policy/kyverno'
import type { RuleText } from '#testing/policy/kyverno'
import { podOf, reviewOf } from '#testing/policy/reviews'
import type { EnginePorts } from '../engine/ports.js'
import type { ReviewVerdict } from '../engine/verdict.js'
import type { CompiledPolicy } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { compileKyvernoException } from './exception.js'
import { openKyvernoVerifying, keyless, refs, by } from '#testing/policy/kyverno-verifying'

const { bench, ann, imageBy, latest, verdict, admitted, denied } = await openKyvernoVerifying()

describe('rules', () => {
  test('digests: written in, asked for, asked for and not written in', async () => {
    const image = await imageBy(ann)
    const tag = latest()
    const { pins } = await admitted(by(keyless()), tag)
    assert.deepEqual(
      pins.map(({ to }) => to),
      [`${tag}@${image.replace(/.*@/, '')}`],
    )
    await denied(by(keyless(), ', mutateDigest: false'), tag, new RegExp(`^missing digest for ${tag}$`))
    await admitted(by(keyless(), ', mutateDigest: false'), image)
    assert.deepEqual((await admitted(by(keyless(), ', mutateDigest: false, verifyDigest: false'), tag)).pins, [])
    // One rule writes in what another asks for.
    const both = [
      await ruleOf(by(keyless())),
      await ruleOf(`${refs()}, mutateDigest: false, required: false`, { metadata: 'name: q' }),
    ]
    assert.equal((await verdict(both, podOf(tag))).allowed, true)
  })

  test('required: what nobody verified is not verified', async () => {
    const image = await imageBy()
    await denied(refs(), image, /^unverified image ghcr\.io\/acme\/app@sha256:/)
    await denied(`${refs()}, mutateDigest: false, verifyDigest: false`, image, /^unverified image/)
    await admitted(`${refs()}, required: false`, image)
  })

  test('failure actions: of the entry, of the policy, of a namespace', async () => {
    const image = await imageBy()
    const action = async (entry: string, spec: string, review = podOf(image)): Promise<string> =>
      (await verdict([await ruleOf(entry, { spec })], review)).rules[0]!.verdict
    const rule = by(keyless(), ', mutateDigest: false')
    assert.equal(await action(rule, 'background: true'), 'audited')
    assert.equal(await action(rule, 'validationFailureAction: enforce'), 'denied')
    assert.equal(await action(rule, 'validationFailureAction: audit'), 'audited')
    assert.equal(await action(`${rule}, failureAction: Audit`, 'validationFailureAction: Enforce'), 'audited')
    assert.equal(await action(`${rule}, failureAction: Enforce`, 'validationFailureAction: Audit'), 'denied')
    assert.equal(await action(rule, 'emitWarning: true'), 'warned')
    const overrides = (text: string): string =>
      `validationFailureAction: Audit, validationFailureActionOverrides: [{action: Enforce, ${text}}]`
    assert.equal(await action(rule, overrides('namespaces: [def*]')), 'denied')
    assert.equal(await action(rule, overrides('namespaces: [other]')), 'audited')
    assert.equal(await action(rule, overrides('namespaces: []')), 'audited')
    const labelled = overrides('namespaceSelector: {matchLabels: {a: b}}')
    const inNamespace = (labels: JsonObject): Review => ({ ...podOf(image), namespaceObject: { metadata: { labels } } })
    assert.equal(await action(rule, labelled, inNamespace({ a: 'b' })), 'denied')
    assert.equal(await action(rule, labelled, inNamespace({ a: 'c' })), 'audited')
    assert.equal(await action(rule, labelled), 'denied', 'labels that are not known may be those')
  })

  test('an entry that refuses makes the rule refuse', async () => {
    const audit = by(keyless(), ', mutateDigest: false, failureAction: Audit')
    const enforce = `{imageReferences: ['quay.io/*'], failureAction: Enforce, attestors: [{entries: [{${keyless()}}]}]}`
    await denied(`${audit}}, ${enforce.slice(0, -1)}`, await imageBy(), /no signatures found/)
  })

  test('a warning is worded as the original words it', async () => {
    const spec = 'emitWarning: true'
    const { warnings } = await admitted(by(keyless(), ', mutateDigest: false, verifyDigest: false'), await imageBy(), {
      spec,
    })
    assert.match(
      warnings.join(),
      /^policy p\.r: failed to verify image ghcr\.io\/acme\/app@sha256:\w+: \.attestors\[0\]/,
    )
  })

  test('failurePolicy decides about what cannot be asked, and about nothing else', async () => {
    const image = await imageBy()
    const unreachable: EnginePorts = {
      ...bench.ports(),
      attachments: () => Promise.reject(new HttpError('HTTP_CONNECT', 'no route')),
    }
    const rule = by(keyless(), ', mutateDigest: false')
    const outcome = async (spec: string, ports = unreachable): Promise<boolean> =>
      (await judged([await ruleOf(rule, { spec })], podOf(image), { ports })).allowed
    assert.equal(await outcome('validationFailureAction: Enforce, failurePolicy: Ignore'), true)
    assert.equal(await outcome('validationFailureAction: Enforce, failurePolicy: Fail'), false)
    assert.equal(await outcome('validationFailureAction: Audit'), false)
    assert.equal(await outcome('validationFailureAction: Audit, webhookConfiguration: {failurePolicy: Ignore}'), true)
    // An unsigned image, a registry that refuses, a name that is none: these are answers.
    const ignoring = 'validationFailureAction: Enforce, failurePolicy: Ignore'
    assert.equal(await outcome(ignoring, bench.ports()), false)
    assert.equal((await verdict([await ruleOf(rule, { spec: ignoring })], podOf('ghcr.io/acme/gone:1'))).allowed, false)
    assert.equal(
      (await verdict([await ruleOf(by(keyless()), { spec: ignoring })], podOf('ghcr.io/A B'))).allowed,
      false,
    )
  })

  test('pods of controllers are guarded as pods are', async () => {
    const image = await imageBy()
    const template = { spec: { containers: [{ name: 'a', image }] } }
    const policy = await ruleOf(by(keyless()))
    const deployment = await verdict([policy], reviewOf('Deployment', { spec: { template } }))
    assert.deepEqual(
      deployment.rules.map(({ rule, verdict: is }) => [rule, is]),
      [['autogen-r', 'denied']],
    )
    const cronjob = await verdict([policy], reviewOf('CronJob', { spec: { jobTemplate: { spec: { template } } } }))
    assert.deepEqual(
      cronjob.rules.map(({ rule, verdict: is }) => [rule, is]),
      [['autogen-cronjob-r', 'denied']],
    )
    const none = await ruleOf(by(keyless()), {
      metadata: 'name: p, annotations: {pod-policies.kyverno.io/autogen-controllers: none}',
    })
    assert.deepEqual((await verdict([none], reviewOf('Deployment', { spec: { template } }))).rules, [])
  })

  test('every container of a pod, the later ones and image volumes', async () => {
    const [good, bad] = [await imageBy(ann), await imageBy()]
    const policy = await ruleOf(by(keyless()))
    for (const spec of [
      {
        containers: [
          { name: 'a', image: good },
          { name: 'b', image: bad },
        ],
      },
      { containers: [{ name: 'a', image: good }], initContainers: [{ name: 'b', image: bad }] },
      { containers: [{ name: 'a', image: good }], ephemeralContainers: [{ name: 'b', image: bad }] },
      { containers: [{ name: 'a', image: good }], volumes: [{ name: 'b', image: { reference: bad } }] },
    ]) {
      assert.equal((await verdict([policy], reviewOf('Pod', { spec }))).allowed, false)
    }
    const later = reviewOf(
      'Pod',
      { spec: { containers: [], ephemeralContainers: [{ name: 'b', image: bad }] } },
      { resource: { group: '', version: 'v1', resource: 'pods', subresource: 'ephemeralcontainers' } },
    )
    assert.equal((await verdict([policy], later)).allowed, false)
    const empty = reviewOf('Deployment', { spec: { template: { spec: { containers: [{ name: 'a', image: ' ' }] } } } })
    assert.equal((await verdict([policy], empty)).allowed, true)
  })

  test('preconditions', async () => {
    const image = await imageBy()
    const more = (operator: string): string =>
      `preconditions: {all: [{key: '{{ request.operation }}', operator: ${operator}, value: CREATE, message: 'not now'}]}`
    await denied(by(keyless()), image, /no signatures/, { more: more('Equals') })
    const { rules } = await admitted(by(keyless()), image, { more: more('NotEquals') })
    assert.deepEqual(
      rules.map(({ verdict: is, message }) => [is, message]),
      [['skipped', 'preconditions not met; not now']],
    )
    await denied(by(keyless()), image, /failed to evaluate preconditions: .*there is no nothing/, {
      more: "preconditions: {all: [{key: '{{ request.nothing }}', operator: Equals, value: a}]}",
    })
    await denied(by(keyless()), image, /no signatures/, {
      more: "preconditions: [{key: '{{ images.containers.*.registry }}', operator: AnyIn, value: [ghcr.io]}]",
    })
  })

  test('one rule of several', async () => {
    const image = await imageBy(ann)
    const rule = (name: string, entry: string, kinds = 'Pod'): string =>
      `{name: ${name}, match: {any: [{resources: {kinds: [${kinds}]}}]}, verifyImages: [{${entry}}]}`
    const policy = async (apply: string, ...rules: readonly string[]): Promise<CompiledPolicy> =>
      await compileText(
        `{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p}, spec: {validationFailureAction: Enforce, applyRules: ${apply}, rules: [${rules.join(', ')}]}}`,
      )
    const [good, bad] = [rule('a', by(keyless())), rule('b', by(keyless('bob@example.com')))]
    assert.equal((await verdict([await policy('All', good, bad)], podOf(image))).allowed, false)
    assert.equal((await verdict([await policy('One', good, bad)], podOf(image))).allowed, true)
    assert.equal((await verdict([await policy('One', bad, good)], podOf(image))).allowed, false)
    const elsewhere = rule('c', by(keyless()), 'Deployment')
    assert.equal((await verdict([await policy('One', elsewhere, bad)], podOf(image))).allowed, false)
  })

  test('a policy of a namespace is about that one', async () => {
    const image = await imageBy()
    const policy = await ruleOf(by(keyless()), { kind: 'Policy', metadata: 'name: p, namespace: team' })
    assert.deepEqual((await verdict([policy], podOf(image))).rules, [])
    assert.equal((await verdict([policy], { ...podOf(image), namespace: 'team' })).allowed, false)
  })

  test('images of custom kinds', async () => {
    const [good, bad] = [await imageBy(ann), await imageBy()]
    const text: RuleText = {
      match: 'any: [{resources: {kinds: [tekton.dev/v1/Task]}}]',
      more: "imageExtractors: {Task: [{path: '/spec/steps/*', value: image, key: name}, {path: /spec/sidecar/image}]}",
    }
    const task = (spec: JsonObject): Review =>
      reviewOf('Task', { spec }, { kind: { group: 'tekton.dev', version: 'v1', kind: 'Task' } })
    const policy = await ruleOf(by(keyless()), text)
    const judge = async (spec: JsonObject): Promise<ReviewVerdict> => await verdict([policy], task(spec))
    assert.equal((await judge({ steps: [{ name: 'a', image: good }] })).allowed, true)
    assert.equal(
      (
        await judge({
          steps: [
            { name: 'a', image: good },
            { name: 'b', image: bad },
          ],
        })
      ).allowed,
      false,
    )
    assert.equal((await judge({ sidecar: { image: bad } })).allowed, false)
    for (const odd of [
      { steps: [{ image: good }] },
      { steps: 'x' },
      { steps: [{ name: 'a', image: 5 }] },
      { sidecar: 'x' },
    ]) {
      assert.equal((await judge(odd)).allowed, false, JSON.stringify(odd))
    }
    const pinned = await judge({ steps: [{ name: 'a', image: latest(1) }] })
    assert.equal(pinned.pins[0]?.pointer, '/spec/steps/0/image')
  })

  test('images that are written in another way', async () => {
    const text: RuleText = {
      match: 'any: [{resources: {kinds: [DataVolume]}}]',
      more: `imageExtractors: {DataVolume: [{path: /spec/source/registry/url, jmesPath: "trim_prefix(@, 'docker://')"}]}`,
    }
    const policy = await ruleOf(by(keyless(), ', mutateDigest: false, verifyDigest: false'), text)
    const volume = (image: string): Review =>
      reviewOf('DataVolume', { spec: { source: { registry: { url: `docker://${image}` } } } })
    assert.equal((await verdict([policy], volume(await imageBy(ann)))).allowed, true)
    assert.equal((await verdict([policy], volume(await imageBy()))).allowed, false)
  })

  test('exceptions', async () => {
    const image = await imageBy()
    const exception = async (
      excused: string,
      match = 'any: [{resources: {kinds: [Pod], names: [te*]}}]',
      more = '',
    ) => {
      const text = `{apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: e, namespace: n}, spec: {match: {${match}}, exceptions: [${excused}]${more}}}`
      return await compileKyvernoException((await documentsOf(text))[0]!)
    }
    const policy = await ruleOf(by(keyless()))
    const outcome = async (...given: Parameters<typeof exception>): Promise<ReviewVerdict> =>
      await judged([policy], podOf(image), { ports: bench.ports(), exceptions: [await exception(...given)] })
    const excused = await outcome('{policyName: p, ruleNames: [r]}')
    assert.equal(excused.allowed, true)
    assert.match(excused.rules[0]!.message, /policy exception n\/e/)
    assert.equal((await outcome('{policyName: p, ruleNames: ["*"]}')).allowed, true)
    assert.equal((await outcome('{policyName: p, ruleNames: [other]}')).allowed, false)
    assert.equal((await outcome('{policyName: q, ruleNames: [r]}')).allowed, false)
    assert.equal((await outcome('{policyName: default/p, ruleNames: [r]}')).allowed, false)
    assert.equal(
      (await outcome('{policyName: p, ruleNames: [r]}', 'any: [{resources: {kinds: [Pod], names: [x]}}]')).allowed,
      false,
    )
    assert.equal((await outcome('{policyName: p, ruleNames: [r]}', 'any: [{}]')).allowed, false)
    const on = (name: string): string =>
      `, conditions: {all: [{key: '{{ request.object.metadata.name }}', operator: Equals, value: ${name}}]}`
    assert.equal((await outcome('{policyName: p, ruleNames: [r]}', undefined, on('test'))).allowed, true)
    assert.equal((await outcome('{policyName: p, ruleNames: [r]}', undefined, on('other'))).allowed, false)
    assert.equal(
      (await outcome('{policyName: p, ruleNames: [r]}', undefined, ', podSecurity: [{controlName: x}]')).allowed,
      false,
    )
  })
})
