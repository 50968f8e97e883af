/** What a CT log signs for a certificate (RFC 6962 §3.2): the entry, and the bytes under the SCT's signature. @module */
import { concatBytes, uint16be, uint24be, uint64be } from '#encoding/bytes'
import type { DerElement } from '#encoding/der'
import { TAG, contextTag, readDer, readOid } from '#encoding/der'
import { der, derExplicit, derSequence } from '#encoding/der-writer'
import { sha256 } from '#crypto/digest'
import type { Certificate } from '../x509/certificate.js'
import { EXTENSION } from '../x509/oids.js'
import { SctError } from './errors.js'
import type { SignedCertificateTimestamp } from './sct.js'

/** The entry of an SCT: a certificate as it stands, or one before its SCTs were put in. */
export type SctEntry =
  | { readonly kind: 'x509'; readonly certificate: Uint8Array }
  | { readonly kind: 'precert'; readonly issuerKeyHash: Uint8Array; readonly tbs: Uint8Array }

const ENTRY_TYPE = { x509: 0, precert: 1 } as const
const SCT_VERSION = 0
const SIGNATURE_TYPE_CERTIFICATE_TIMESTAMP = 0
const MAX_TBS_BYTES = 0xffffff

/** Removed from a TBS before it is signed by the log: what was not there, or must not be there, at that time. */
const NOT_IN_PRECERT: ReadonlySet<string> = new Set([EXTENSION.sctList, EXTENSION.precertificatePoison])

/**
 * The precertificate entry of a final certificate (or of a precertificate): its TBS without SCT list and poison, and the
 * hash of its issuer's key. The issuer's key must come from the verified path, not from the certificate.
 * @throws SctError SCT_ENTRY
 */
export function precertEntry(certificate: Pick<Certificate, 'tbs'>, issuerSpki: Uint8Array): SctEntry {
  return { kind: 'precert', issuerKeyHash: sha256(issuerSpki), tbs: precertTbs(certificate.tbs) }
}

/**
 * A TBSCertificate without the SCT list and poison extensions; every other byte stays as it is.
 * @throws DerError if the bytes are not a TBSCertificate; SctError SCT_ENTRY if there are no extensions at all
 */
export function precertTbs(tbs: Uint8Array): Uint8Array {
  const reader = readDer(tbs, TAG.SEQUENCE).contents()
  const kept: Uint8Array[] = []
  let extensions: DerElement | undefined
  while (!reader.done) {
    const element = reader.next()
    if (element.tag === contextTag(3, { constructed: true })) extensions = element
    else kept.push(element.bytes)
  }
  if (extensions === undefined)
    throw new SctError('SCT_ENTRY', 'the certificate has no extensions, so it was never a precertificate')
  const remaining = keptExtensions(readDer(extensions.content, TAG.SEQUENCE))
  // RFC 6962 §3.2 keeps the wrapper; an empty list would not be DER of RFC 5280, so it goes as a whole.
  const wrapped = remaining.length === 0 ? [] : [derExplicit(3, derSequence(...remaining))]
  return der(TAG.SEQUENCE, ...kept, ...wrapped)
}

/**
 * The bytes under an SCT's signature: the "digitally-signed" struct of RFC 6962 §3.2. It covers the SCT's extensions.
 * @throws SctError SCT_ENTRY if the entry is too large
 */
export function sctSignatureInput(
  sct: Pick<SignedCertificateTimestamp, 'timestamp' | 'extensions'>,
  entry: SctEntry,
): Uint8Array {
  return concatBytes(
    Uint8Array.of(SCT_VERSION, SIGNATURE_TYPE_CERTIFICATE_TIMESTAMP),
    uint64be(BigInt(sct.timestamp)),
    timestampedEntryBody(entry),
    uint16be(sct.extensions.length),
    sct.extensions,
  )
}

/** entry_type and signed_entry: shared by the SCT's signature and the log's Merkle tree leaf (RFC 6962 §3.4). */
export function timestampedEntryBody(entry: SctEntry): Uint8Array {
  const body = entry.kind === 'x509' ? entry.certificate : entry.tbs
  if (body.length > MAX_TBS_BYTES) throw new SctError('SCT_ENTRY', 'the certificate is too large for a CT log')
  const issuer = entry.kind === 'x509' ? new Uint8Array(0) : entry.issuerKeyHash
  return concatBytes(uint16be(ENTRY_TYPE[entry.kind]), issuer, uint24be(body.length), body)
}

function keptExtensions(list: DerElement): readonly Uint8Array[] {
  const kept: Uint8Array[] = []
  const reader = list.contents()
  while (!reader.done) {
    const extension = reader.next(TAG.SEQUENCE)
    if (!NOT_IN_PRECERT.has(readOid(extension.contents().next(TAG.OID)))) kept.push(extension.bytes)
  }
  return kept
}
