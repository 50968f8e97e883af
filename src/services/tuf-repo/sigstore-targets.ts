/** The targets that make a TUF repository one of a Sigstore: for today's clients, and for those before trusted_root.json. @module */
import { encodePem } from '#encoding/pem'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeSigningConfig } from '#formats/signing-config/serialize'
import type { SigningConfig } from '#formats/signing-config/signing-config'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import { timeRangeContains } from '#formats/trusted-root/time-range'
import type { TimeRange, TrustedAuthority, TrustedLog, TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { NewTarget } from '#formats/tuf/write'
import type { UnixMillis } from '#time'

/** What a Sigstore's repository says. */
export interface SigstoreTrust {
  readonly trustedRoot: TrustedRoot
  readonly signingConfig: SigningConfig
  /** Decides which keys the old targets call active. */
  readonly now: UnixMillis
}

/** Which service an old target is for, as sigstore/sigstore names them. */
type Usage = 'Rekor' | 'CTFE' | 'Fulcio' | 'TSA'

/**
 * `trusted_root.json`, `signing_config.v0.2.json`, and one target for each key or chain, with the custom metadata by which
 * clients up to cosign 2 find them. Names are numbered from the second on: `rekor.pub`, `rekor_2.pub`.
 */
export function sigstoreTargets({ trustedRoot, signingConfig, now }: SigstoreTrust): ReadonlyMap<string, NewTarget> {
  const key = ({ key: { spki } }: TrustedLog): string => encodePem('PUBLIC KEY', spki)
  const chain = ({ chain: certificates }: TrustedAuthority): string =>
    certificates.map(({ der }) => encodePem('CERTIFICATE', der)).join('')
  return new Map([
    ['trusted_root.json', { bytes: encodeUtf8(serializeTrustedRoot(trustedRoot)) }],
    ['signing_config.v0.2.json', { bytes: encodeUtf8(serializeSigningConfig(signingConfig)) }],
    ...legacyTargets({ entries: trustedRoot.tlogs, pem: key, usage: 'Rekor', name: 'rekor', extension: 'pub', now }),
    ...legacyTargets({ entries: trustedRoot.ctlogs, pem: key, usage: 'CTFE', name: 'ctfe', extension: 'pub', now }),
    ...legacyTargets({
      entries: trustedRoot.certificateAuthorities,
      pem: chain,
      usage: 'Fulcio',
      name: 'fulcio',
      extension: 'crt.pem',
      now,
    }),
    ...legacyTargets({
      entries: trustedRoot.timestampAuthorities,
      pem: chain,
      usage: 'TSA',
      name: 'tsa',
      extension: 'crt.pem',
      now,
    }),
  ])
}

interface Legacy<Entry extends { readonly validFor: TimeRange }> {
  readonly entries: readonly Entry[]
  readonly pem: (entry: Entry) => string
  readonly usage: Usage
  readonly name: string
  readonly extension: string
  readonly now: UnixMillis
}

function legacyTargets<Entry extends { readonly validFor: TimeRange }>(
  legacy: Legacy<Entry>,
): readonly [string, NewTarget][] {
  const { entries, pem, usage, name, extension, now } = legacy
  return entries.map((entry, index) => {
    const status = timeRangeContains(entry.validFor, now) ? 'Active' : 'Expired'
    const custom: JsonObject = { sigstore: { status, usage } }
    const number = index === 0 ? '' : `_${String(index + 1)}`
    return [`${name}${number}.${extension}`, { bytes: encodeUtf8(pem(entry)), custom }]
  })
}
