/** The TUF repository of an instance: what clients have to know, signed, renewed while the instance runs. @module */
import type { Signer } from '#crypto/private-key'
import { publicKeyToPem } from '#crypto/public-key'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeSigningConfig } from '#formats/signing-config/serialize'
import type { NewTarget } from '#formats/tuf/write'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import { certificateToPem } from '#formats/x509/parse-certificate'
import type { Clock } from '#time'
import type { Route } from '#serving/routes'
import { openTufRepository } from '../tuf-repo/repository.js'
import type { TufRepository } from '../tuf-repo/repository.js'
import type { RepositoryStorage } from '../tuf-repo/storage.js'
import { tufRepoRoutes } from '../tuf-repo/tuf-repo.js'
import { deploymentSigningConfig, deploymentTrustedRoot } from './trust.js'
import type { Deployment } from './trust.js'

export const TUF_PATH = '/tuf'

export interface InstanceTufOptions {
  readonly storage: RepositoryStorage
  readonly clock: Clock
  /** Signs the root alone. */
  readonly rootKey: Signer
  /** Signs targets, snapshot and timestamp. */
  readonly onlineKey: Signer
  readonly deployment: Deployment
  readonly onRenewalFailure: (error: unknown) => void
}

/** Opens the repository and publishes what the deployment is now. A restart without changes publishes nothing. */
export async function openInstanceTuf(
  options: InstanceTufOptions,
): Promise<{ repository: TufRepository; routes: readonly Route[] }> {
  const { storage, clock, rootKey, onlineKey, deployment, onRenewalFailure } = options
  const online = { signers: [onlineKey], threshold: 1 }
  const root = { signers: [rootKey], threshold: 1 }
  const repository = await openTufRepository({
    storage,
    clock,
    signers: { root, targets: online, snapshot: online, timestamp: online },
  })
  await repository.publish(instanceTargets(deployment))
  await repository.renew()
  return { repository, routes: tufRepoRoutes({ prefix: TUF_PATH, repository, onRenewalFailure }) }
}

function instanceTargets(deployment: Deployment): ReadonlyMap<string, NewTarget> {
  return new Map([
    // Version 0.1 of the trusted root is the one that every client reads.
    ['trusted_root.json', { bytes: encodeUtf8(serializeTrustedRoot(deploymentTrustedRoot(deployment), '0.1')) }],
    ['signing_config.v0.2.json', { bytes: encodeUtf8(serializeSigningConfig(deploymentSigningConfig(deployment))) }],
    ...legacyTargets(deployment),
  ])
}

type Usage = 'Fulcio' | 'Rekor' | 'CTFE' | 'TSA'

/** One file a key or certificate, found by name or by usage: all that cosign 2 and its contemporaries know. */
function legacyTargets({ url, fulcioChain, tsaChain, ctLog, rekor }: Deployment): [string, NewTarget][] {
  const target = (name: string, usage: Usage, pem: string): [string, NewTarget] => [
    name,
    { bytes: encodeUtf8(pem), custom: { sigstore: { status: 'Active', usage, uri: url } } },
  ]
  const [fulcioRoot, ...fulcioIntermediates] = [...fulcioChain].reverse().map(certificateToPem)
  const tsaPem = tsaChain.map(certificateToPem)
  return [
    target('fulcio.crt.pem', 'Fulcio', fulcioRoot ?? ''),
    ...fulcioIntermediates.map((pem, index) =>
      target(`fulcio_intermediate_v${String(index + 1)}.crt.pem`, 'Fulcio', pem),
    ),
    target('rekor.pub', 'Rekor', publicKeyToPem(rekor.key)),
    target('ctfe.pub', 'CTFE', publicKeyToPem(ctLog.key)),
    target('tsa_leaf.crt.pem', 'TSA', tsaPem[0] ?? ''),
    ...tsaPem.slice(1, -1).map((pem, index) => target(`tsa_intermediate_${String(index)}.crt.pem`, 'TSA', pem)),
    target('tsa_root.crt.pem', 'TSA', tsaPem.at(-1) ?? ''),
  ]
}
