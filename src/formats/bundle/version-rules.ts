/** What each version of the bundle format demands (sigstore_bundle.proto, sigstore_rekor.proto). @module */
import type { LogEntry } from '../rekor-entry/log-entry.js'
import type { SignedEntity } from '../signed-entity.js'
import { BundleError } from './bundle-error.js'
import type { BundleVersion } from './media-type.js'

type Rule = (entry: LogEntry) => void

const LOG_ENTRY_RULES = {
  '0.1': requirePromise,
  '0.2': requireProof,
  '0.3': requireProof,
} as const satisfies Record<BundleVersion, Rule>

/**
 * Every entry of a 0.1 bundle has an inclusion promise; from 0.2 on every entry has an inclusion proof with checkpoint;
 * from 0.3 on there is a single certificate instead of a chain.
 * @throws BundleError
 */
export function checkVersionRules(
  bundle: SignedEntity & { readonly version: BundleVersion },
  { chainField }: { readonly chainField: boolean },
): void {
  for (const entry of bundle.logEntries) LOG_ENTRY_RULES[bundle.version](entry)
  if (bundle.version !== '0.3' || !chainField) return
  throw new BundleError('BUNDLE_CERTIFICATE_CHAIN', 'a 0.3 bundle holds one certificate, not a chain', {
    expected: 'certificate',
    found: 'x509CertificateChain',
    hint: 'allow certificate chains (--allow-certificate-chain) if your signers are known to write them',
  })
}

function requirePromise(entry: LogEntry): void {
  if (entry.inclusionPromise !== undefined) return
  throw new BundleError('BUNDLE_INCLUSION_PROMISE', 'a log entry of a 0.1 bundle has no inclusion promise', {
    expected: 'inclusionPromise.signedEntryTimestamp',
  })
}

function requireProof(entry: LogEntry): void {
  if (entry.inclusionProof?.checkpoint !== undefined) return
  throw new BundleError('BUNDLE_INCLUSION_PROOF', 'a log entry of the bundle has no inclusion proof with checkpoint', {
    expected: 'inclusionProof.checkpoint.envelope',
    found: entry.inclusionProof === undefined ? 'no inclusion proof' : 'an inclusion proof without checkpoint',
  })
}
