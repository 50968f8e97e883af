/** A registry with images that are signed under any name and identity, and the ports to judge them through. @module */
import { createRegistryClient } from '#clients/registry/client'
import { anonymousKeychain } from '#clients/registry/authenticator'
import type { AlgorithmName } from '#crypto/algorithms'
import { generatePrivateKey } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { imageSignatureStatement, SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { parseReference } from '#formats/oci/reference'
import { serializeSimpleSigning } from '#formats/simple-signing/payload'
import type { FulcioExtensions } from '#formats/x509/fulcio-extensions'
import { createReviewPorts } from '#gate/review-ports'
import type { OtherPorts } from '#gate/review-ports'
import { attachBundle } from '#images/attach-bundle'
import { attachLayer } from '#images/attach-layer'
import { layerFromAttestation, layerFromSignature } from '#images/legacy-layer'
import type { AttachmentWriter } from '#images/store'
import type { EnginePorts } from '#policy/engine/ports'
import { clusterOfDocuments } from '#policy/internal/cluster-of-documents'
import { fakeRegistry, type FakeRegistry } from '../fake-registry.js'
import { fakeTimers } from '../fake-timers.js'
import type { TestCertificate } from '../pki/certificate.js'
import { createTestPki, type TestPki } from '../pki/pki.js'
import { signMessage, signStatement } from '../pki/signed-entity.js'
import type { SignRequest } from '../pki/signed-entity.js'

export type TestSigner = TestCertificate | { readonly key: PrivateKey }

export interface SignOptions {
  /** `legacy`: a `.sig` or `.att` layer; `bundle`: a referrer. Default bundle. */
  readonly format?: 'legacy' | 'bundle'
  readonly annotations?: ReadonlyMap<string, string>
  /** Where instead of beside the image: `registry/repository`. */
  readonly repository?: string
  /** Which version of Rekor has it. Default v1. */
  readonly log?: 'v1' | 'v2' | 'none'
  readonly timestamps?: SignRequest['timestamps']
}

export interface PolicyBench {
  readonly pki: TestPki
  readonly registry: FakeRegistry
  /** Pushes an image under `host/name:tag` and gives `host/name@sha256:…`. */
  pushImage(name: string, configs?: readonly unknown[]): string
  /** Somebody with a certificate for this name by this issuer. */
  person(subject: string, issuer: string, claims?: FulcioExtensions): Promise<TestSigner>
  /** Somebody with a key. */
  keyHolder(algorithm?: AlgorithmName): Promise<TestSigner & { readonly key: PrivateKey }>
  sign(image: string, signer: TestSigner, options?: SignOptions): Promise<void>
  attest(image: string, signer: TestSigner, claim: TestClaim): Promise<void>
  ports(others?: Partial<OtherPorts>): EnginePorts
}

export interface TestClaim extends SignOptions {
  readonly type: string
  readonly predicate: unknown
}

/** Any host is the same registry, so that policies keep the names they were written for. */
export async function openPolicyBench(): Promise<PolicyBench> {
  const pki = await createTestPki()
  const registry = fakeRegistry()
  const time = fakeTimers()
  time.autoAdvance()
  const { clock, timers } = time
  const client = () => createRegistryClient({ fetch: registry.fetch, clock, keychain: anonymousKeychain })
  const writer = (repository: string | undefined): AttachmentWriter => ({
    content: client(),
    clock,
    timers,
    random: () => 0,
    attachmentRepository: repository === undefined ? undefined : parseReference(repository),
  })
  const pinned = (image: string) => {
    const reference = parseReference(image)
    if (reference.kind !== 'digest') throw new Error(`${image} has no digest`)
    const { registry: host, repository, digest } = reference
    const stored = registry.manifests.get(`${repository}@${digest}`)
    if (stored === undefined) throw new Error(`${image} was not pushed`)
    const subject = { mediaType: stored.mediaType, digest, size: stored.bytes.length }
    return { repository: { registry: host, repository }, digest, subject }
  }
  const attachStatement = async (
    image: string,
    signer: TestSigner,
    claim: TestClaim & { readonly statement: unknown },
  ) => {
    const { repository, digest, subject } = pinned(image)
    const { statement, type, format } = claim
    const { entity } = await signStatement(pki, { signer, statement, ...evidence(claim, 'dsse') })
    if (format === 'legacy') {
      const layer = layerFromAttestation(entity, type)
      await attachLayer(writer(claim.repository), { repository, digest, tag: 'att', layer })
      return
    }
    const bundle = encodeUtf8(serializeBundle(entity))
    await attachBundle(writer(claim.repository), {
      repository,
      subject,
      bundle,
      content: 'dsse-envelope',
      predicateType: type,
    })
  }
  return {
    pki,
    registry,
    pushImage: (name, configs = [{ os: 'linux', architecture: 'amd64' }]) => pushImage(registry, name, configs),
    person: async (subject, issuer, claims = {}) => {
      const kind = subject.includes('://') ? ('uri' as const) : ('email' as const)
      return await pki.issueLeaf({ subjectAltNames: [{ kind, value: subject }], fulcio: { ...claims, issuer } })
    },
    keyHolder: async (algorithm = 'ecdsa-sha2-256-nistp256') => ({ key: await generatePrivateKey(algorithm) }),
    sign: async (image, signer, options = {}) => {
      const { repository, digest } = pinned(image)
      const { annotations = new Map<string, string>(), format = 'bundle' } = options
      if (format === 'bundle') {
        const statement: unknown = JSON.parse(imageSignatureStatement(digest.slice('sha256:'.length), annotations))
        await attachStatement(image, signer, { ...options, type: SIGN_PREDICATE_TYPE, predicate: {}, statement })
        return
      }
      const dockerReference = image.split('@')[0] ?? image
      const optional = annotations.size === 0 ? undefined : Object.fromEntries(annotations)
      const payload = serializeSimpleSigning({ manifestDigest: digest, dockerReference, optional })
      const { entity } = await signMessage(pki, { signer, artifact: payload, ...evidence(options, 'hashedrekord') })
      const layer = layerFromSignature(entity, payload)
      await attachLayer(writer(options.repository), { repository, digest, tag: 'sig', layer })
    },
    attest: async (image, signer, claim) => {
      const { digest } = pinned(image)
      const statement = {
        _type: 'https://in-toto.io/Statement/v0.1',
        predicateType: claim.type,
        subject: [{ name: image.split('@')[0], digest: { sha256: digest.slice('sha256:'.length) } }],
        predicate: claim.predicate,
      }
      await attachStatement(image, signer, { ...claim, statement })
    },
    ports: (others = {}) =>
      createReviewPorts(client(), {
        trustRoot: () => Promise.resolve(pki.trusted),
        key: () => Promise.reject(new Error('no keys are kept here')),
        cluster: clusterOfDocuments([]),
        clock,
        ...others,
      }),
  }
}

function evidence(
  { log = 'v1', timestamps }: SignOptions,
  kind: 'dsse' | 'hashedrekord',
): Pick<SignRequest, 'logs' | 'timestamps'> {
  const logs = log === 'none' ? [] : [{ shape: `${log}-${kind}` } as const]
  return { logs, ...(timestamps !== undefined && { timestamps }) }
}

function pushImage(registry: FakeRegistry, name: string, configs: readonly unknown[]): string {
  const reference = parseReference(name)
  const { repository } = reference
  const tag = reference.tag ?? 'latest'
  const images = configs.map((config) => {
    const text = JSON.stringify(config)
    const digest = registry.putBlob(repository, text)
    const described = { mediaType: 'application/vnd.oci.image.config.v1+json', size: encodeUtf8(text).length, digest }
    // The name keeps images of one configuration apart.
    const annotations = { 'org.opencontainers.image.ref.name': name }
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: described,
      layers: [],
      annotations,
    }
    const bytes = JSON.stringify(manifest)
    return { mediaType: MEDIA_TYPES.ociManifest, size: encodeUtf8(bytes).length, bytes }
  })
  const [only] = images
  if (only === undefined) throw new Error('an image has a configuration')
  const base = `${reference.registry}/${repository}`
  if (images.length === 1) return `${base}@${registry.put(repository, only.mediaType, only.bytes, tag)}`
  const manifests = images.map(({ mediaType, size, bytes }) => ({
    mediaType,
    size,
    digest: registry.put(repository, mediaType, bytes),
  }))
  const index = JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests })
  return `${base}@${registry.put(repository, MEDIA_TYPES.ociIndex, index, tag)}`
}
