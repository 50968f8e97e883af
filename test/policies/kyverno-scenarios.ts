/**
 * What each scenario of Kyverno's conformance tests for verifyImages needs: images, who signed them, and what its refusal says.
 *
 * @module
 */
import type { JsonObject } from '#encoding/json'
import type { PolicyBench, SignOptions, TestSigner } from '#testing/policy/bench'

const GITHUB = 'https://token.actions.githubusercontent.com'
const GENERATOR =
  'https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_container_slsa3.yml@refs/heads/main'
const SCANNER = 'https://github.com/chipzoller/zulu/.github/workflows/vulnerability-scan.yaml@refs/heads/main'
const BUILDER = 'https://github.com/chipzoller/zulu/.github/workflows/slsa-generic-keyless.yaml@refs/tags/v0.0.14'
const ATTESTER =
  'https://github.com/vishal-chdhry/artifact-attestation-example/.github/workflows/build-attested-image.yaml@refs/heads/main'
const VERIFY = 'ghcr.io/kyverno/test-verify-image'
const ZULU = 'ghcr.io/kyverno/zulu:v0.0.14'
const PROVENANCE = 'https://slsa.dev/provenance/v0.2'
const NOTARY = /type: Notary is not supported/

export interface Setting {
  readonly bench: PolicyBench
  readonly key: TestSigner
}

/** Puts an image into the registry, under the name that the resources have. */
export type Prepare = (setting: Setting, image: string) => Promise<void>

export const bare: Prepare = () => Promise.resolve()
const byKey =
  (options: SignOptions): Prepare =>
  async ({ bench, key }, image) => {
    await bench.sign(image, key, options)
  }
const by =
  (subject: string, options: SignOptions = {}): Prepare =>
  async ({ bench }, image) => {
    await bench.sign(image, await bench.person(subject, GITHUB), options)
  }
const attested =
  (subject: string, type: string, predicate: JsonObject): Prepare =>
  async ({ bench }, image) => {
    await bench.attest(image, await bench.person(subject, GITHUB), { type, predicate })
  }
const all =
  (...steps: readonly Prepare[]): Prepare =>
  async (setting, image) => {
    for (const step of steps) await step(setting, image)
  }

const built = attested(GENERATOR, PROVENANCE, { builder: { id: GENERATOR } })
const scanned = attested(SCANNER, 'cosign.sigstore.dev/attestation/vuln/v1', {
  scanner: { uri: 'pkg:github/aquasecurity/trivy@0.34.0' },
})
const attestedByGithub = attested(ATTESTER, 'https://slsa.dev/provenance/v1', {
  buildDefinition: { buildType: 'https://actions.github.io/buildtypes/workflow/v1' },
})

export interface Scenario {
  readonly images: Readonly<Record<string, Prepare>>
  /** What the refusal says, where the scenario has one. */
  readonly refused?: RegExp
  /** Why a resource that the scenario admits is refused here. */
  readonly otherwise?: RegExp
  /** A file that the API server refuses before any webhook is asked. */
  readonly invalid?: string
}

/** By the folder's name. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'configmap-context-lookup': { images: {} },
  'failure-policy-test-noconfigmap-diffimage-success': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) } },
  'imageExtractors-complex': {
    images: { 'public.ecr.aws/docker/library/ubuntu:bionic': bare },
    refused:
      /^failed to verify image public\.ecr\.aws\/docker\/library\/ubuntu:bionic: \.attestors\[0\]\.entries\[0\]\.keys: no signatures found$/,
  },
  'imageExtractors-none': { images: {} },
  'keyed-basic': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none', format: 'legacy' }) } },
  'keyed-oci11': { images: { [`${VERIFY}:cosign-oci11`]: byKey({ log: 'none' }) } },
  'keyed-tsa': { images: { [`${VERIFY}:tsa`]: byKey({ timestamps: [{}] }) } },
  'keyless-attestation-regexp': { images: { [ZULU]: built } },
  'keyless-attestations-multiple-subjects-2': { images: { [ZULU]: all(built, scanned) } },
  'keyless-attestations-multiple-subjects-4': {
    images: { [ZULU]: built },
    // An attestation without attestors takes anybody whom the public Fulcio certified.
    otherwise: /^\.attestations\[0\]: no attestors are named/,
  },
  'keyless-attestations-multiple-subjects-counts-2': {
    images: { [ZULU]: all(built, scanned) },
    refused:
      /^image attestations verification failed, verifiedCount: 1, requiredCount: 2, error: \.attestations\[0\]\.attestors\[0\]\.entries\[1\]\.keyless: subject mismatch: expected https:\/\/github\.com\/chipzoller\/zulu\S+, received https:\/\/github\.com\/slsa-framework\/\S+$/,
  },
  'keyless-image-invalid-attestor': { images: { [ZULU]: by(BUILDER) } },
  'keyless-nomutatedigest-noverifydigest-norequired': {
    images: { 'ghcr.io/kyverno/zulu:latest': by(BUILDER, { format: 'legacy' }) },
  },
  'multiple-image-verification-attestations-fail': { images: { [`${VERIFY}:signed`]: bare }, refused: /type: Notary/ },
  'multiple-image-verification-attestations-trivy-vex-fail': {
    images: { [`${VERIFY}:signed`]: bare },
    refused: /type: Notary is not supported/,
  },
  'mutateDigest-noverifyDigest-norequired': { images: { [`${VERIFY}:signed-keyless`]: bare } },
  'nomutateDigest-verifyDigest-norequired': {
    images: { [`${VERIFY}:signed-keyless`]: bare },
    refused: /^missing digest for ghcr\.io\/kyverno\/test-verify-image:signed-keyless$/,
  },
  'sigstore-attestation-verification-regexp': {
    images: { 'ghcr.io/vishal-chdhry/artifact-attestation-example:artifact-attestation': attestedByGithub },
  },
  'sigstore-image-verification-test': {
    images: { 'ghcr.io/vishal-chdhry/artifact-attestation-example:artifact-attestation': attestedByGithub },
  },
  'update-multi-containers': {
    images: Object.fromEntries(
      ['6.3.3', '6.3.4', '6.3.5'].map((tag) => [`ghcr.io/stefanprodan/podinfo:${tag}`, byKey({ log: 'v1' })]),
    ),
  },
  'verify-image-background-basic': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) } },
  'with-mutation': {
    images: { [`${VERIFY}:unsigned`]: bare, [`${VERIFY}:signed`]: byKey({ log: 'none' }) },
    // Another policy replaces the image first. Mutating rules are Kyverno's to enforce; see the test below.
    otherwise: /no signatures found/,
  },
  'empty-image': { images: {} },
  'failure-policy-test-noconfigmap-diffimage-success-deprecated': {
    images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) },
  },
  'imageExtractors-complex-keyless': {
    images: {
      'ghcr.io/sigstore/cosign/cosign:v2': by('https://github.com/sigstore/cosign/.github/workflows/build.yaml'),
    },
  },
  'imageExtractors-simple': {
    images: { 'public.ecr.aws/docker/library/ubuntu:bionic': bare },
    refused: /no signatures found/,
  },
  'keyed-basic-namespace-selector': {
    images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }), [`${VERIFY}:unsigned`]: bare },
    refused: /no signatures found/,
  },
  'keyed-secret': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) } },
  'keyless-attestation-invalid-attestor': { images: { [ZULU]: built } },
  'keyless-attestations-multiple-subjects-1': { images: { [ZULU]: built } },
  'keyless-attestations-multiple-subjects-3': { images: { [ZULU]: all(built, scanned) }, refused: /subject mismatch/ },
  'keyless-attestations-multiple-subjects-counts-1': { images: { [ZULU]: all(built, scanned) } },
  'keyless-attestations-multiple-subjects-counts-3': {
    images: { [ZULU]: all(built, scanned) },
    refused: /verifiedCount: 1, requiredCount: 2/,
  },
  'keyless-mutatedigest-verifydigest-required': { images: { [ZULU]: by(BUILDER) } },
  'keyless-nomutatedigest-noverifydigest-required': { images: { 'ghcr.io/kyverno/zulu:latest': by(BUILDER) } },
  'multiple-attestors': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) } },
  'multiple-image-verification-attestations-pass': { images: { [`${VERIFY}:signed`]: bare }, otherwise: NOTARY },
  'multiple-image-verification-attestations-trivy-vex-pass': {
    images: { [`${VERIFY}:signed`]: bare },
    otherwise: NOTARY,
  },
  'noconfigmap-diffimage-success': {
    images: { [`${VERIFY}:signed`]: byKey({ log: 'v1' }), 'public.ecr.aws/docker/library/nginx:latest': bare },
    refused: /configmap/i,
  },
  'notary-attestation-verification': { images: { [`${VERIFY}:signed`]: bare }, otherwise: NOTARY },
  'notary-image-verification': { images: { [`${VERIFY}:signed`]: bare }, otherwise: NOTARY },
  'notary-image-verification-secret-from-policy': { images: { [`${VERIFY}-private:signed`]: bare }, otherwise: NOTARY },
  'rollback-image-verification': {
    images: Object.fromEntries(
      ['signed-1', 'signed-2'].map((tag) => [`${VERIFY}-rollback:${tag}`, byKey({ log: 'none' })]),
    ),
  },
  'sigstore-attestation-verification-test': {
    images: { 'ghcr.io/vishal-chdhry/artifact-attestation-example:artifact-attestation': attestedByGithub },
  },
  'skip-image-reference': {
    images: { [`${VERIFY}:signed`]: bare, [ZULU]: bare, 'ghcr.io/kyverno/kyverno:latest': bare },
    invalid: 'bad.yaml', // two containers of one name
  },
  'verify-image-background-audit': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) } },
  'verify-image-background-existing': { images: { [`${VERIFY}:signed`]: byKey({ log: 'none' }) } },
}
