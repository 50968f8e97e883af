/**
 * Policies of policy-controller's own tests (`../shared/policies` beside the checkout, where there is one): those that it refuses,
 * those that it takes, and those that it enforces, on images signed under the names and identities that they ask for.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createSign } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { privateKeyToPem } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { isCodedError } from '#errors'
import { compileClusterImagePolicy } from '#policy/cip/compile'
import { evaluate } from '#policy/engine/evaluate'
import type { ReviewVerdict } from '#policy/engine/verdict'
import { deadlineOf } from '#policy/internal/deadline'
import { readDocuments } from '#policy/internal/documents'
import { PolicyError } from '#policy/internal/policy-error'
import type { CompiledPolicy } from '#policy/internal/policy'
import type { Review } from '#policy/internal/review'
import { openPolicyBench, type PolicyBench, type SignOptions, type TestSigner } from '#testing/policy/bench'
import { podOf, reviewOf } from '#testing/policy/reviews'

const FOLDER = join(process.cwd(), '..', 'shared', 'policies')
const there = existsSync(FOLDER)
const skip = there ? false : 'there is no ../shared/policies beside the checkout'
const counts = { cases: 0 }

const filesOf = (name: string): readonly string[] => (there ? readdirSync(join(FOLDER, name)) : [])
const textOf = (folder: string, file: string): string => readFileSync(join(FOLDER, folder, file), 'utf8')

after(() => {
  if (there) process.stdout.write(`policy-controller: ${String(counts.cases)} cases\n`)
})

async function compile(text: string, failOnEmptyAuthorities = true): Promise<CompiledPolicy> {
  const [document] = await readDocuments(text, 'policy.yaml')
  assert.ok(document)
  return await compileClusterImagePolicy(document.value, {
    failOnEmptyAuthorities,
    ports: {
      remoteText: () => Promise.reject(new PolicyError('POLICY_TEXT', 'there is no network')),
      configMapText: () => Promise.reject(new PolicyError('POLICY_TEXT', 'there is no cluster')),
      clock: () => 0,
    },
  })
}

describe('refused', { skip }, () => {
  for (const file of filesOf('policy-controller-invalid')) {
    test(file, async () => {
      counts.cases++
      const text = textOf('policy-controller-invalid', file)
      const expected = [...text.matchAll(/# ERROR:(.*)/g)].map(([, message = '']) => message.trim())
      assert.ok(expected.length > 0)
      await assert.rejects(compile(text), (error: unknown) => {
        assert.ok(isCodedError(error), String(error))
        for (const message of expected)
          assert.ok(error.message.includes(message), `${error.message}\nlacks: ${message}`)
        return true
      })
    })
  }

  for (const file of filesOf('policy-controller-empty-authorities')) {
    test(file, async () => {
      counts.cases++
      const text = textOf('policy-controller-empty-authorities', file)
      await assert.rejects(compile(text), { code: 'POLICY_FIELD', message: /missing field\(s\): spec\.authorities/ })
      await compile(text, false)
    })
  }
})

describe('taken', { skip }, () => {
  for (const file of filesOf('policy-controller-valid')) {
    test(file, async () => {
      counts.cases++
      await compile(textOf('policy-controller-valid', file))
    })
  }
})

const ISSUER = 'https://kubernetes.default.svc'
const ACCOUNT = 'https://kubernetes.io/namespaces/default/serviceaccounts/default'
const CUSTOM = 'https://cosign.sigstore.dev/attestation/v1'
const VULN = 'https://cosign.sigstore.dev/attestation/vuln/v1'

interface Setting {
  readonly bench: PolicyBench
  /** The account that the policies name. */
  readonly account: TestSigner
  readonly stranger: TestSigner
  readonly key: TestSigner
}

type Prepare = (setting: Setting, image: string) => Promise<void>

interface Case {
  readonly name: string
  readonly file: string
  readonly image?: string
  readonly configs?: readonly unknown[]
  readonly prepare?: Prepare
  readonly review?: (image: string) => Review
  /** What the refusal, or with mode warn the warning, says; undefined: admitted. */
  readonly refused?: RegExp
  readonly warned?: true
}

const DEMO = 'registry.local:5000/policy-controller/demo:latest'
const STAMP = 'ghcr.io/sigstore/timestamp-server:v1'
const userConfigs = (user: string): readonly unknown[] => [
  { os: 'linux', architecture: 'amd64', config: { User: user } },
  { os: 'linux', architecture: 'arm', variant: 'v7', config: { User: user } },
]

const logged: SignOptions = { log: 'v1' }
const unlogged: SignOptions = { log: 'none' }
const byAccount =
  (options: SignOptions = {}): Prepare =>
  async ({ bench, account }, image) => {
    await bench.sign(image, account, options)
  }
const byStranger: Prepare = async ({ bench, stranger }, image) => {
  await bench.sign(image, stranger)
}
const byKey =
  (options: SignOptions): Prepare =>
  async ({ bench, key }, image) => {
    await bench.sign(image, key, options)
  }
const attested =
  (who: 'account' | 'key' | 'stranger', data: string, options: SignOptions = {}): Prepare =>
  async (setting, image) => {
    const predicate = { Data: data, Timestamp: '2025-01-01T00:00:00Z' }
    await setting.bench.attest(image, setting[who], { type: CUSTOM, predicate, ...options })
  }
const scanned: Prepare = async ({ bench, account }, image) => {
  const metadata = { scanStartedOn: '2022-04-01T00:00:00Z', scanFinishedOn: '2022-04-01T00:10:00Z' }
  const predicate = {
    invocation: { uri: 'invocation.example.com/cosign-testing' },
    scanner: { uri: 'fakescanner.example.com/cosign-testing' },
    metadata,
  }
  await bench.attest(image, account, { type: VULN, predicate })
}
/** As `cosign sign` did with keys that a key service uses with another hash. */
const byKeyWithSha512: Prepare = async ({ bench, key }, image) => {
  const pem = privateKeyToPem(key.key)
  const sign = (data: Uint8Array): Promise<Uint8Array> => Promise.resolve(createSign('sha512').update(data).sign(pem))
  const other = Object.create(key.key, { sign: { value: sign } }) as typeof key.key
  await bench.sign(image, { key: other }, { ...unlogged, format: 'legacy' })
}
const all =
  (...steps: readonly Prepare[]): Prepare =>
  async (setting, image) => {
    for (const step of steps) await step(setting, image)
  }
const withLabels =
  (labels: Readonly<Record<string, string>>) =>
  (image: string): Review =>
    reviewOf('Pod', { metadata: { name: 'a', labels }, spec: { containers: [{ name: 'a', image }] } })
const withAccount =
  (serviceAccount: string) =>
  (image: string): Review =>
    reviewOf('Pod', { metadata: { name: 'a' }, spec: { serviceAccount, containers: [{ name: 'a', image }] } })

const NOBODY = /no signatures found/
const WRONG = /none of the expected identities matched what was in the certificate/
const CUE = /failed evaluating cue policy for ClusterImagePolicy: failed to evaluate the policy with error: /

const KEYLESS_FILES = ['cip-keyless.yaml', 'cip-keyless-with-identities.yaml']

const CASES: readonly Case[] = [
  ...KEYLESS_FILES.flatMap((file): readonly Case[] => [
    { name: 'signed by the account', file, prepare: byAccount() },
    { name: 'signed by the account, in the old format', file, prepare: byAccount({ format: 'legacy' }) },
    {
      name: 'signed and logged in Rekor v2, with a time-stamp',
      file,
      prepare: byAccount({ log: 'v2', timestamps: [{}] }),
    },
    { name: 'signed by nobody', file, refused: NOBODY },
    { name: 'signed by a stranger', file, prepare: byStranger, refused: WRONG },
    { name: 'signed by a key', file, prepare: byKey(logged), refused: /no matching signatures/ },
    {
      name: 'not logged',
      file,
      prepare: byAccount({ ...unlogged, timestamps: [{}] }),
      refused: /signature not found in transparency log/,
    },
    { name: 'attested, not signed', file, prepare: attested('account', 'x'), refused: NOBODY },
  ]),
  { name: 'signed by nobody', file: 'cip-keyless-warn.yaml', refused: NOBODY, warned: true },
  { name: 'signed by the account', file: 'cip-keyless-warn.yaml', prepare: byAccount() },
  {
    name: 'signed elsewhere',
    file: 'cip-keyless-with-source.yaml',
    prepare: byAccount({ repository: 'registry.local:5000/policy-controller/demo' }),
    image: 'other.example/team/demo:1',
  },
  {
    name: 'signed beside the image only',
    file: 'cip-keyless-with-source.yaml',
    prepare: byAccount(),
    image: 'other.example/team/demo:1',
    refused: NOBODY,
  },
  { name: 'whatever it is', file: 'cip-static-pass.yaml' },
  { name: 'with the right user', file: 'cip-config-file-policy.yaml', image: STAMP, configs: userConfigs('65532') },
  {
    name: 'with another user',
    file: 'cip-config-file-policy.yaml',
    image: STAMP,
    configs: userConfigs('0'),
    refused: CUE,
  },
  {
    name: 'with the right user',
    file: 'cip-config-file-policy-fails.yaml',
    image: STAMP,
    configs: userConfigs('65532'),
    refused: CUE,
  },
  { name: 'the label', file: 'cip-include-objectmeta.yaml', image: STAMP, review: withLabels({ foo: 'bar' }) },
  {
    name: 'another label',
    file: 'cip-include-objectmeta.yaml',
    image: STAMP,
    review: withLabels({ foo: 'baz' }),
    refused: CUE,
  },
  { name: 'the account', file: 'cip-include-spec.yaml', image: STAMP, review: withAccount('default') },
  { name: 'another account', file: 'cip-include-spec.yaml', image: STAMP, review: withAccount('root'), refused: CUE },
  {
    name: 'a policy that cannot be fetched',
    file: 'cip-policy-from-url.yaml',
    image: STAMP,
    refused: /failed evaluating policy for ClusterImagePolicy/,
  },
  { name: 'signed and logged by the key', file: 'cip-key-secret.yaml', prepare: byKey(logged) },
  {
    name: 'signed by the key, not logged',
    file: 'cip-key-secret.yaml',
    prepare: byKey(unlogged),
    refused: /signature not found in transparency log/,
  },
  { name: 'signed by nobody', file: 'cip-key-secret.yaml', refused: NOBODY },
  { name: 'signed by the key', file: 'cip-key-and-keyless-ignore-sct.yaml', prepare: byKey(logged) },
  { name: 'signed by the account', file: 'cip-key-and-keyless-ignore-sct.yaml', prepare: byAccount() },
  { name: 'signed by a stranger', file: 'cip-key-and-keyless-ignore-sct.yaml', prepare: byStranger, refused: WRONG },
  {
    name: 'signed with SHA-512',
    file: 'cip-key-hash-algorithm.yaml',
    image: 'quay.io/jetstack/cert-manager-acmesolver:v1',
    prepare: byKeyWithSha512,
  },
  {
    name: 'signed with another hash',
    file: 'cip-key-hash-algorithm.yaml',
    image: 'quay.io/jetstack/cert-manager-acmesolver:v1',
    prepare: byKey(unlogged),
    refused: /invalid signature/,
  },
  {
    name: 'attested by the key',
    file: 'cip-key-with-attestations-no-rekor.yaml',
    prepare: attested('key', 'foobar key e2e test', unlogged),
  },
  {
    name: 'attested by the key, other data',
    file: 'cip-key-with-attestations-no-rekor.yaml',
    prepare: attested('key', 'other', unlogged),
    refused: /failed evaluating cue policy for custom-match-predicate/,
  },
  {
    name: 'signed by the key',
    file: 'cip-key-with-attestations-no-rekor.yaml',
    prepare: byKey(unlogged),
    refused: /no matching attestations/,
  },
  {
    name: 'attested by the key and logged',
    file: 'cip-key-with-attestations.yaml',
    prepare: attested('key', 'foobar key e2e test'),
  },
  {
    name: 'attested by the key, not logged',
    file: 'cip-key-with-attestations.yaml',
    prepare: attested('key', 'foobar key e2e test', unlogged),
    refused: /signature not found in transparency log/,
  },
  ...['cip-keyless-with-attestations.yaml', 'cip-keyless-with-trustroot-repository-with-attestations.yaml'].flatMap(
    (file): readonly Case[] => [
      { name: 'attested by the account', file, prepare: attested('account', 'foobar e2e test') },
      {
        name: 'attested by the account, in the old format',
        file,
        prepare: attested('account', 'foobar e2e test', { format: 'legacy' }),
      },
      { name: 'attested by a stranger', file, prepare: attested('stranger', 'foobar e2e test'), refused: WRONG },
      { name: 'other data', file, prepare: attested('account', 'foobar'), refused: /failed evaluating cue policy/ },
      {
        name: 'one of two statements satisfies',
        file,
        prepare: all(attested('account', 'foobar'), attested('account', 'foobar e2e test')),
      },
    ],
  ),
  {
    name: 'all four',
    file: 'cip-requires-two-signatures-and-two-attestations.yaml',
    prepare: all(
      byAccount(),
      byKey(logged),
      attested('account', 'foobar e2e test'),
      scanned,
      attested('key', 'foobar key e2e test'),
    ),
  },
  // CUE lets stand what the input leaves out, so the original admits this as well (its issue 130); `!` would require it.
  {
    name: 'the signatures only',
    file: 'cip-requires-two-signatures-and-two-attestations.yaml',
    prepare: all(byAccount(), byKey(logged)),
  },
  {
    name: 'one signature too many',
    file: 'cip-requires-two-signatures-and-two-attestations.yaml',
    prepare: all(byAccount(), byAccount(), byKey(logged)),
    refused: /failed evaluating cue policy for ClusterImagePolicy: .*keylesssignature\.signatures/,
  },
  {
    name: 'nothing',
    file: 'cip-requires-two-signatures-and-two-attestations.yaml',
    refused: NOBODY,
  },
]

describe('enforced', { skip }, () => {
  let bench: PolicyBench
  let setting: Setting
  let serial = 0
  before(async () => {
    bench = await openPolicyBench()
    setting = {
      bench,
      account: await bench.person(ACCOUNT, ISSUER),
      stranger: await bench.person('https://kubernetes.io/namespaces/evil/serviceaccounts/evil', ISSUER),
      key: await bench.keyHolder(),
    }
  })

  const keyOf = ({ key }: Pick<Setting, 'key'>): TestSigner['key'] => key.key

  async function judge(file: string, review: Review): Promise<ReviewVerdict> {
    // The private halves of the keys in these files are nobody's to have.
    const ours = publicKeyToPem(keyOf(setting).publicKey).trim()
    const text = textOf('policy-controller-e2e', file).replace(
      /^( *)-----BEGIN PUBLIC KEY-----[\s\S]*?-----END PUBLIC KEY-----/gm,
      (_, indent: string) =>
        ours
          .split('\n')
          .map((line) => indent + line)
          .join('\n'),
    )
    const ports = bench.ports({ key: () => Promise.resolve({ key: keyOf(setting).publicKey }) })
    const policies = [await compile(text)]
    const deadline = deadlineOf(AbortSignal.timeout(60_000))
    return await evaluate({ policies, review, ports, deadline, digestsMustStand: false, unmatched: 'deny' })
  }

  for (const { name, file, image: template = DEMO, configs, prepare, review = podOf, refused, warned } of CASES) {
    test(`${file}: ${name}`, async () => {
      counts.cases++
      const tag = String(serial++)
      const image = bench.pushImage(
        template.replace(/:[^:/]*$/, `:${tag}`),
        configs ?? [{ os: 'linux', architecture: 'amd64', serial: tag }],
      )
      await prepare?.(setting, image)
      const verdict = await judge(file, review(image))
      assert.equal(verdict.allowed, refused === undefined || warned === true, verdict.message)
      if (refused !== undefined) assert.match(warned === true ? verdict.warnings.join('\n') : verdict.message, refused)
      else assert.deepEqual(verdict.warnings, [])
      // The same image under its tag is judged alike, and the digest that was judged is the one that is written in.
      const tagged = await judge(file, review(image.replace(/@.*/, `:${tag}`)))
      assert.equal(tagged.allowed, verdict.allowed, tagged.message)
    })
  }

  test('every file of the folder is among the cases', () => {
    const covered = new Set(CASES.map(({ file }) => file))
    assert.deepEqual(
      filesOf('policy-controller-e2e').filter((file) => !covered.has(file)),
      [],
    )
  })
})
