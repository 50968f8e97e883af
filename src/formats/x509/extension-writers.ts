/** The extensions that are written: each returns a whole Extension (RFC 5280 §4.2.1). @module */
import { sha256 } from '#crypto/digest'
import { concatBytes } from '#encoding/bytes'
import { TAG, readBitString, readDer } from '#encoding/der'
import {
  derBitString,
  derBoolean,
  derExplicit,
  derImplicit,
  derInteger,
  derNull,
  derOctetString,
  derOid,
  derSequence,
  derUtf8String,
} from '#encoding/der-writer'
import { encodeUtf8 } from '#encoding/utf8'
import type { BasicConstraints, KeyUsageName } from './certificate.js'
import { KEY_USAGE_BITS } from './extension-readers.js'
import type { FulcioExtensions } from './fulcio-extensions.js'
import { FULCIO_CLAIMS } from './fulcio-extensions.js'
import type { GeneralName } from './general-name.js'
import { encodeGeneralName, encodeGeneralNames } from './general-name.js'
import type { NameConstraints } from './name-constraints.js'
import { EXTENSION } from './oids.js'

/** Whether those who do not understand an extension must refuse the certificate. */
export interface Criticality {
  readonly critical: boolean
}

const CRITICAL = derBoolean(true)

/** Any extension, from its OID and the content of its extnValue. */
export function encodeExtension(oid: string, value: Uint8Array, { critical }: Criticality): Uint8Array {
  return derSequence(derOid(oid), ...(critical ? [CRITICAL] : []), derOctetString(value))
}

export function basicConstraintsExtension({ ca, pathLength }: BasicConstraints): Uint8Array {
  const value = derSequence(
    ...(ca ? [CRITICAL] : []), // the same bytes: BOOLEAN TRUE; FALSE is the default and left out
    ...(pathLength === undefined ? [] : [derInteger(pathLength)]),
  )
  return encodeExtension(EXTENSION.basicConstraints, value, { critical: true })
}

export function keyUsageExtension(usages: readonly KeyUsageName[]): Uint8Array {
  const bytes = new Uint8Array(2)
  for (const usage of usages) {
    const bit = KEY_USAGE_BITS.indexOf(usage)
    bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) | (0x80 >> (bit & 7))
  }
  return encodeExtension(EXTENSION.keyUsage, namedBits(bytes), { critical: true })
}

export function extendedKeyUsageExtension(
  oids: readonly string[],
  criticality: Criticality = { critical: false },
): Uint8Array {
  return encodeExtension(EXTENSION.extendedKeyUsage, derSequence(...oids.map(derOid)), criticality)
}

export function subjectKeyIdExtension(keyId: Uint8Array): Uint8Array {
  return encodeExtension(EXTENSION.subjectKeyId, derOctetString(keyId), { critical: false })
}

export function authorityKeyIdExtension(keyId: Uint8Array): Uint8Array {
  return encodeExtension(EXTENSION.authorityKeyId, derSequence(derImplicit(0, keyId)), { critical: false })
}

/** Critical exactly if the subject is empty (RFC 5280 §4.2.1.6). */
export function subjectAltNameExtension(names: readonly GeneralName[], criticality: Criticality): Uint8Array {
  return encodeExtension(EXTENSION.subjectAltName, encodeGeneralNames(names), criticality)
}

export function nameConstraintsExtension({ permitted, excluded }: NameConstraints): Uint8Array {
  const subtrees = (names: readonly GeneralName[]): Uint8Array[] =>
    names.map((name) => derSequence(encodeGeneralName(name)))
  const value = derSequence(
    ...(permitted.length === 0 ? [] : [derExplicit(0, ...subtrees(permitted))]),
    ...(excluded.length === 0 ? [] : [derExplicit(1, ...subtrees(excluded))]),
  )
  return encodeExtension(EXTENSION.nameConstraints, value, { critical: true })
}

/** From a TLS-encoded SignedCertificateTimestampList (RFC 6962 §3.3). */
export function sctListExtension(list: Uint8Array): Uint8Array {
  return encodeExtension(EXTENSION.sctList, derOctetString(list), { critical: false })
}

/** Makes a certificate unusable as one, so that it can be shown to a log before it is issued (RFC 6962 §3.1). */
export const POISON_EXTENSION: Uint8Array = encodeExtension(EXTENSION.precertificatePoison, derNull(), {
  critical: true,
})

const CLAIM_PREFIXES = FULCIO_CLAIMS.map(({ claim, oid, encoding }) => ({ claim, oid: derOid(oid), encoding }))

/** Fulcio's claims in the order of their OIDs; absent and empty ones are left out. */
export function fulcioClaimExtensions(claims: FulcioExtensions): readonly Uint8Array[] {
  const extensions: Uint8Array[] = []
  for (const { claim, oid, encoding } of CLAIM_PREFIXES) {
    const value = claims[claim]
    if (value === undefined || value === '') continue
    extensions.push(derSequence(oid, derOctetString(encoding === 'raw' ? encodeUtf8(value) : derUtf8String(value))))
  }
  return extensions
}

const KEY_ID_BYTES = 20

/** A key identifier: the leftmost 160 bits of SHA-256 over the key's bits (RFC 7093 §2, method 1), so that no SHA-1 is needed. */
export function keyIdentifier(spki: Uint8Array): Uint8Array {
  const reader = readDer(spki, TAG.SEQUENCE).contents()
  reader.next(TAG.SEQUENCE)
  return sha256(readBitString(reader.next(TAG.BIT_STRING)).bytes).slice(0, KEY_ID_BYTES)
}

/** A NamedBitList without its trailing zeros (X.690 §11.2.2). */
function namedBits(bytes: Uint8Array): Uint8Array {
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0) length--
  const last = bytes[length - 1] ?? 0
  const unused = last === 0 ? 0 : 31 - Math.clz32(last & -last)
  return derBitString(concatBytes(bytes.subarray(0, length)), unused)
}
