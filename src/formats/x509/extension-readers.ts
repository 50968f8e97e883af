/** The extensions that are understood: OID → field of a certificate (RFC 5280 §4.2.1). @module */
import type { DerElement } from '#encoding/der'
import {
  TAG,
  contextTag,
  readBitString,
  readBoolean,
  readDer,
  readInteger,
  readIntegerBytes,
  readOid,
  readOctetString,
} from '#encoding/der'
import type {
  AuthorityKeyIdentifier,
  BasicConstraints,
  CertificateExtension,
  KeyUsageName,
  UnderstoodExtensions,
} from './certificate.js'
import { CertificateError } from './errors.js'
import { fulcioClaimByOid, readFulcioClaim } from './fulcio-extensions.js'
import { readGeneralNames } from './general-name.js'
import { readNameConstraints } from './name-constraints.js'
import { EXTENSION } from './oids.js'

/** In the order of the bits of RFC 5280 §4.2.1.3. */
export const KEY_USAGE_BITS: readonly KeyUsageName[] = [
  'digitalSignature',
  'contentCommitment',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
]

type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Understood = Mutable<UnderstoodExtensions>
type Reader = (found: Understood, value: Uint8Array) => void

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [EXTENSION.basicConstraints, (found, value) => (found.basicConstraints = readBasicConstraints(value))],
  [EXTENSION.keyUsage, (found, value) => (found.keyUsage = readKeyUsage(value))],
  [EXTENSION.extendedKeyUsage, (found, value) => (found.extendedKeyUsage = readExtendedKeyUsage(value))],
  [
    EXTENSION.subjectAltName,
    (found, value) => (found.subjectAltNames = readGeneralNames(readDer(value, TAG.SEQUENCE))),
  ],
  [EXTENSION.subjectKeyId, (found, value) => (found.subjectKeyId = readDer(value, TAG.OCTET_STRING).content)],
  [EXTENSION.authorityKeyId, (found, value) => (found.authorityKeyId = readAuthorityKeyId(value))],
  [
    EXTENSION.nameConstraints,
    (found, value) => (found.nameConstraints = readNameConstraints(readDer(value, TAG.SEQUENCE))),
  ],
  [EXTENSION.sctList, (found, value) => (found.sctList = readDer(value, TAG.OCTET_STRING).content)],
])

/** Reads one Extension. @throws DerError */
export function readExtension(element: DerElement): CertificateExtension {
  const reader = element.contents()
  const oid = readOid(reader.next(TAG.OID))
  const criticalElement = reader.optional(TAG.BOOLEAN)
  const value = readOctetString(reader.next(TAG.OCTET_STRING))
  reader.end()
  // DER leaves out a FALSE that is the default, yet old authorities write it; it changes no meaning and is signed as it stands.
  return { oid, critical: criticalElement !== undefined && readBoolean(criticalElement), value }
}

/**
 * Interprets every extension that this project knows.
 * @throws DerError, EncodingError, CertificateError if one of them is malformed.
 */
export function readUnderstoodExtensions(extensions: Iterable<CertificateExtension>): UnderstoodExtensions {
  const claims: Record<string, string> = {}
  const found: Understood = {
    basicConstraints: undefined,
    keyUsage: undefined,
    extendedKeyUsage: undefined,
    subjectAltNames: undefined,
    subjectKeyId: undefined,
    authorityKeyId: undefined,
    nameConstraints: undefined,
    sctList: undefined,
    fulcio: claims,
  }
  for (const { oid, value } of extensions) {
    READERS.get(oid)?.(found, value)
    const claim = fulcioClaimByOid(oid)
    if (claim !== undefined) claims[claim.claim] = readFulcioClaim(claim, value)
  }
  return found
}

function readBasicConstraints(value: Uint8Array): BasicConstraints {
  const reader = readDer(value, TAG.SEQUENCE).contents()
  const ca = reader.optional(TAG.BOOLEAN)
  const pathLength = reader.optional(TAG.INTEGER)
  reader.end()
  return {
    ca: ca !== undefined && readBoolean(ca),
    pathLength: pathLength === undefined ? undefined : readPathLength(pathLength),
  }
}

function readPathLength(element: DerElement): number {
  const value = readInteger(element)
  if (value >= 0n && value <= 255n) return Number(value)
  throw new CertificateError('CERTIFICATE_MALFORMED', 'a path length is out of range', {
    expected: '0 to 255',
    found: value.toString().slice(0, 20),
  })
}

function readKeyUsage(value: Uint8Array): ReadonlySet<KeyUsageName> {
  const { bytes } = readBitString(readDer(value, TAG.BIT_STRING))
  const usages = KEY_USAGE_BITS.filter((_, bit) => ((bytes[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
  // RFC 5280 §4.2.1.3: at least one bit must be set. An empty set would otherwise read as "no usage named, so all".
  if (usages.length === 0) throw new CertificateError('CERTIFICATE_MALFORMED', 'the key usage extension names no usage')
  return new Set(usages)
}

function readExtendedKeyUsage(value: Uint8Array): readonly string[] {
  const oids: string[] = []
  const reader = readDer(value, TAG.SEQUENCE).contents()
  while (!reader.done) oids.push(readOid(reader.next(TAG.OID)))
  if (oids.length === 0)
    throw new CertificateError('CERTIFICATE_MALFORMED', 'the extended key usage extension is empty')
  return oids
}

function readAuthorityKeyId(value: Uint8Array): AuthorityKeyIdentifier {
  const reader = readDer(value, TAG.SEQUENCE).contents()
  const keyId = reader.optional(contextTag(0))?.content
  const issuer = reader.optional(contextTag(1, { constructed: true }))
  const serialNumber = reader.optional(contextTag(2))
  reader.end()
  return {
    keyId,
    issuer: issuer === undefined ? undefined : readGeneralNames(issuer),
    serialNumber: serialNumber === undefined ? undefined : readIntegerBytes({ ...serialNumber, tag: TAG.INTEGER }),
  }
}
