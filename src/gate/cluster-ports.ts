/** The policy engine's ports in a cluster: logins of the resource's namespace, keys in Secrets, and what is remembered. @module */
import type { Keychain } from '#clients/registry/credentials'
import { parseRepository } from '#formats/oci/reference'
import type { Repository } from '#formats/oci/reference'
import type { Clock } from '#time'
import type { EnginePorts } from '#policy/engine/ports'
import type { VerificationSubject } from '#policy/engine/verification-memory'
import type { SignatureSource } from '#policy/internal/attestor'
import type { ClusterReader } from '#policy/internal/cluster'
import type { RegistryAccess } from '#policy/internal/policy'
import type { Review } from '#policy/internal/review'
import type { OnVerification } from './admission/admission.js'
import type { ReviewPorts } from './gate.js'
import { lazyReader } from './logins/registry-readers.js'
import type { RegistryReaders } from './logins/registry-readers.js'
import { openLogins, pullSecretsOf } from './logins/review-logins.js'
import type { ReviewLogins, SecretName } from './logins/review-logins.js'
import type { SecretReader } from './logins/secret-reader.js'
import { createReviewPorts } from './review-ports.js'
import type { KeyKeeper } from './snapshot/key-keeper.js'
import type { TrustKeeper } from './snapshot/trust-keeper.js'
import type { VerificationCache } from './verification/verification-cache.js'

/** Names of keychains that policies know, and what the installation has under them. */
export type NamedKeychains = (names: readonly string[]) => Keychain

export interface ClusterPortOptions {
  /** The installation's own. */
  readonly namespace: string
  readonly secrets: SecretReader
  readonly readers: RegistryReaders
  readonly keychains: NamedKeychains
  readonly cache: VerificationCache
  readonly cluster: ClusterReader
  readonly trust: TrustKeeper
  readonly keys: KeyKeeper
  readonly clock: Clock
  readonly salt: Uint8Array
}

/** Makes the ports of one review after the other. */
export function createClusterPorts(options: ClusterPortOptions): ReviewPorts {
  return (review, onVerification) => portsWith({ review, options, access: undefined, onVerification })
}

interface PortContext {
  readonly review: Review
  readonly options: ClusterPortOptions
  readonly access: RegistryAccess | undefined
  readonly onVerification: OnVerification | undefined
}

function portsWith(context: PortContext): EnginePorts {
  const { review, options, access } = context
  const { readers, trust, keys, cluster, clock, cache } = options
  const logins = loginsOf(context)
  const insecure = access?.allowInsecure === true
  const reader = (names: readonly SecretName[]): ReturnType<typeof lazyReader> =>
    lazyReader(async () => readers.readerFor(await logins(names), insecure))
  return createReviewPorts(reader([]), {
    contentFor: (source) => reader(secretsOf(source, review)),
    trustRoot: (name) => trust.get(name),
    trustRepository: trust.repository,
    key: (source) => keys.get(source),
    cluster,
    clock,
    memory: cache.memoryFor(async (subject) => {
      const { source } = subject.ready.attestor
      return readerIdentity(subject, { logins: await logins(secretsOf(source, review)), access })
    }, context.onVerification),
    ...(access === undefined && { withAccess: (brought) => portsWith({ ...context, access: brought }) }),
  })
}

/** Who reads: whoever can read the image, and its signatures, in the way that the rule allows. */
function readerIdentity(
  { pinned, ready: { attestor } }: VerificationSubject,
  { logins, access }: { readonly logins: ReviewLogins; readonly access: RegistryAccess | undefined },
): string {
  const readers = [pinned.repository, repositoryOf(attestor.source, pinned.repository)].map(logins.identity)
  return JSON.stringify([...readers, access?.providers ?? [], access?.allowInsecure ?? false])
}

/** Each set of logins is opened once a review, and only if it is needed. */
function loginsOf({ review, options, access }: PortContext): (more: readonly SecretName[]) => Promise<ReviewLogins> {
  const { secrets, keychains, salt, namespace } = options
  const installation = keychains(access?.providers ?? [])
  const brought = (access?.secrets ?? []).map(({ namespace: at = namespace, name }) => ({ namespace: at, name }))
  const known = new Map<string, Promise<ReviewLogins>>()
  return (more) => {
    const key = JSON.stringify(more)
    const pending =
      known.get(key) ??
      pullSecretsOf(review, secrets).then((own) =>
        openLogins([...brought, ...more, ...own], { secrets, installation, salt }),
      )
    known.set(key, pending)
    return pending
  }
}

/** `signaturePullSecrets` are of the workload's namespace, unless the policy says of which. */
function secretsOf({ pullSecrets }: SignatureSource, { namespace: own = '' }: Review): readonly SecretName[] {
  return pullSecrets.map(({ namespace = own, name }) => ({ namespace, name }))
}

function repositoryOf({ repository }: SignatureSource, image: Repository): Repository {
  return repository === undefined ? image : parseRepository(repository)
}
