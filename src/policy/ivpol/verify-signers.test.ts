/** Signers, attestations and trust of image validating policies, against signed images. @module */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import { encodePem } from '#encoding/pem'
import { openPolicyBench } from '#testing/policy/bench'
import type { TestSigner } from '#testing/policy/bench'
import type { Judging, PolicyText } from '#testing/policy/ivpol'
import { podOf } from '#testing/policy/reviews'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import { PolicyError } from '../internal/policy-error.js'
import { clusterOfDocuments } from '../internal/cluster-of-documents.js'
import {
  openIvpolVerifying,
  ISSUER,
  SCAN,
  pem,
  keyed,
  keyless,
  SIGNED_BY_PEOPLE,
} from '#testing/policy/ivpol-verifying'

const { bench, ann, key, other, imageBy, admitted, denied, keyPolicy } = await openIvpolVerifying()

describe('what passes', () => {
  test('signed by the key, in either format, with and without a log', async () => {
    for (const options of [{ format: 'legacy' }, { format: 'bundle' }, { log: 'none' }] as const) {
      const { tagged } = await imageBy({ by: key, as: options })
      await admitted(podOf(tagged), keyPolicy())
    }
  })

  test('an image that the policy is not about counts for nothing, and need not exist', async () => {
    const pod = podOf('registry.example.com/other/app:v1')
    await admitted(pod, keyPolicy())
    const validations = [
      {
        expression:
          "verifyImageSignatures('registry.example.com/other/app:v1', [attestors.key]) == 0 && images.containers == []",
      },
    ]
    await admitted(pod, keyPolicy({ validations }))
  })

  test('verified by another policy of the same request', async () => {
    const { tagged } = await imageBy(key)
    const catchAll = { name: 'all', spec: { matchImageReferences: [{ glob: '*' }] } }
    await admitted(podOf(tagged), [catchAll, keyPolicy()])
    await denied(podOf(tagged), [catchAll], /^Policy all failed: image .* is not verified/)
  })

  test('annotations of the very signature, and no other', async () => {
    const { tagged } = await imageBy(
      { by: key, as: { annotations: new Map([['env', 'prod']]) } },
      { by: other, as: { annotations: new Map([['env', 'dev']]) } },
    )
    const policy = (env: string): PolicyText => keyPolicy({ attestors: [keyed(key, { annotations: { env } })] })
    await admitted(podOf(tagged), policy('prod'))
    await denied(podOf(tagged), policy('dev'), 'Policy test failed: not signed')
  })

  test('an attestation by whom the policy names, and what it says', async () => {
    const { tagged, pinned } = await imageBy(key)
    await bench.attest(pinned, ann, { type: SCAN, predicate: { clean: true, findings: 3 } })
    const attestors = [keyed(key), keyless({ subject: 'ann@example.com' })]
    const policy = (check: string): PolicyText => ({
      spec: {
        attestors,
        attestations: [{ name: 'scan', intoto: { type: SCAN } }],
        validations: [
          {
            expression:
              'images.containers.all(i, verifyAttestationSignatures(i, attestations.scan, [attestors.people]) > 0)',
          },
          { expression: `images.containers.all(i, ${check})`, message: 'bad scan' },
        ],
      },
    })
    await admitted(podOf(tagged), policy('extractPayload(i, attestations.scan).predicate.clean'))
    await admitted(podOf(tagged), policy('extractPayload(i, attestations.scan).predicate.findings < 4'))
    await admitted(podOf(tagged), policy(`extractPayload(i, attestations.scan).predicateType == '${SCAN}'`))
    await denied(
      podOf(tagged),
      policy('extractPayload(i, attestations.scan).predicate.findings < 3'),
      'Policy test failed: bad scan',
    )
    await denied(
      podOf(tagged),
      policy("extractPayload(i, 'nothing').predicate.clean"),
      'Policy test error: failed to evaluate policy: attestation not found in policy: nothing',
    )
  })

  test('a key, a subject and a trusted root that expressions find', async () => {
    const { tagged } = await imageBy({ by: key, as: { log: 'none' } }, ann)
    const configMap = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'keys', namespace: 'policies' },
      data: { key: pem(key), subject: '^ann@', root: serializeTrustedRoot(bench.pki.trusted) },
    }
    const ports = bench.ports({ cluster: clusterOfDocuments([configMap]) })
    const find = (name: string): string => `resource.Get('v1', 'configmaps', 'policies', 'keys').data.${name}`
    const attestors = [
      { name: 'key', cosign: { key: { expression: find('key') }, ctlog: { insecureIgnoreTlog: true } } },
      {
        name: 'people',
        cosign: {
          keyless: { identities: [{ issuer: ISSUER, subjectExpression: 'variables.subject' }] },
          trustedRoot: { expression: find('root') },
        },
      },
    ]
    const variables = [{ name: 'subject', expression: find('subject') }]
    const validations = [
      { expression: 'images.containers.all(i, verifyImageSignatures(i, [attestors.key, attestors.people]) == 2)' },
    ]
    await admitted(podOf(tagged), { spec: { attestors, variables, validations } }, { ports })
  })

  test('extensions of certificates', async () => {
    const { tagged } = await imageBy(ann)
    const policy = (githubWorkflowTrigger: string): PolicyText => ({
      spec: {
        attestors: [
          {
            name: 'people',
            cosign: {
              keyless: {
                identities: [{ issuer: ISSUER, subject: 'ann@example.com' }],
                additionalExtensions: { githubWorkflowTrigger },
              },
            },
          },
        ],
        validations: SIGNED_BY_PEOPLE,
      },
    })
    await admitted(podOf(tagged), policy('push'))
    await denied(podOf(tagged), policy('pull_request'), 'Policy test failed: not signed')
  })

  test('signatures in a repository of their own', async () => {
    const { tagged, pinned } = await imageBy()
    await bench.sign(pinned, key, { repository: 'ghcr.io/acme/signatures' })
    await denied(podOf(tagged), keyPolicy(), 'Policy test failed: not signed')
    const attestors = [keyed(key, { source: { repository: 'ghcr.io/acme/signatures' } })]
    await admitted(podOf(tagged), keyPolicy({ attestors }))
  })

  test('trust from a TUF repository of the policy’s own, and nobody where it cannot be had', async () => {
    const { tagged } = await imageBy(ann)
    const tuf = { mirror: 'https://tuf.example.com', root: { data: Buffer.from('{}').toString('base64') } }
    const policy = {
      spec: { attestors: [keyless({ subject: 'ann@example.com' }, { tuf })], validations: SIGNED_BY_PEOPLE },
    }
    const asked: (string | undefined)[] = []
    const withRoot = (root: typeof bench.pki.trusted): Partial<Judging> => ({
      ports: bench.ports({
        trustRepository: async ({ mirror }) => {
          asked.push(mirror)
          return await Promise.resolve(root)
        },
      }),
    })
    await admitted(podOf(tagged), policy, withRoot(bench.pki.trusted))
    assert.deepEqual(asked, ['https://tuf.example.com'])
    const { certificateAuthorities: _, ...rest } = bench.pki.trusted
    await denied(
      podOf(tagged),
      policy,
      'Policy test failed: not signed',
      withRoot({ ...rest, certificateAuthorities: [] }),
    )
    const failing = bench.ports({ trustRepository: () => Promise.reject(new PolicyError('POLICY_TRUST_ROOT', 'no')) })
    await denied(podOf(tagged), policy, 'Policy test error: failed to evaluate policy: no', { ports: failing })
    await denied(podOf(tagged), policy, /cannot be asked here$/)
  })

  test('logs, authorities and roots of the policy’s own', async () => {
    const { tagged } = await imageBy(ann)
    const theirs = await openPolicyBench()
    const trusted = (root: JsonObject, more: JsonObject = {}): PolicyText => ({
      spec: {
        attestors: [keyless({ subject: 'ann@example.com' }, { trustedRoot: root, ...more })],
        validations: SIGNED_BY_PEOPLE,
      },
    })
    await admitted(podOf(tagged), trusted({ value: serializeTrustedRoot(bench.pki.trusted) }))
    await denied(
      podOf(tagged),
      trusted({ value: serializeTrustedRoot(theirs.pki.trusted) }),
      'Policy test failed: not signed',
    )
    const own = serializeTrustedRoot(bench.pki.trusted)
    for (const ctlog of [{ rekorPubKey: pem(key) }, { ctLogPubKey: pem(key) }])
      await denied(podOf(tagged), trusted({ value: own }, { ctlog }), 'Policy test failed: not signed')
  })

  test('a certificate that is pinned, and no other', async () => {
    const { tagged } = await imageBy(ann)
    const certificateOf = (signer: TestSigner): string => {
      assert.ok('certificate' in signer)
      return encodePem('CERTIFICATE', signer.certificate.der)
    }
    const bob = await bench.person('bob@example.com', ISSUER)
    const pinnedTo = (signer: TestSigner): PolicyText => ({
      spec: {
        attestors: [{ name: 'people', cosign: { certificate: { cert: { value: certificateOf(signer) } } } }],
        validations: SIGNED_BY_PEOPLE,
      },
    })
    await admitted(podOf(tagged), pinnedTo(ann))
    await denied(podOf(tagged), pinnedTo(bob), 'Policy test failed: not signed')
  })

  test('a key service, which cannot be asked yet', async () => {
    const { tagged } = await imageBy(key)
    const attestors = [
      { name: 'key', cosign: { key: { kms: 'awskms:///alias/x' }, ctlog: { insecureIgnoreTlog: true } } },
    ]
    await denied(podOf(tagged), keyPolicy({ attestors }), 'Policy test failed: not signed')
  })

  test('a log that is asked for', async () => {
    const attestors = [{ name: 'key', cosign: { key: { data: pem(key) } } }]
    await admitted(podOf((await imageBy({ by: key, as: { log: 'v1' } })).tagged), keyPolicy({ attestors }))
    await denied(
      podOf((await imageBy({ by: key, as: { log: 'none' } })).tagged),
      keyPolicy({ attestors }),
      'Policy test failed: not signed',
    )
  })
})
