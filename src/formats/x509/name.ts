/** Distinguished names: read, shown as RFC 4514 text, and written. @module */
import type { DerElement } from '#encoding/der'
import { TAG, readDer, readOid, readString } from '#encoding/der'
import { derIa5String, derOid, derPrintableString, derSequence, derSet, derUtf8String } from '#encoding/der-writer'
import { encodeHex } from '#encoding/hex'
import { CertificateError } from './errors.js'

export interface Name {
  /** The Name, whole, DER: names are compared by these bytes. */
  readonly der: Uint8Array
  /** RFC 4514 text, last RDN first: `CN=sigstore,O=sigstore.dev`. Empty for the empty name. */
  readonly text: string
}

/** Attribute type → its short name (RFC 4514 §3 and the usual extras). */
const SHORT_NAMES: ReadonlyMap<string, string> = new Map([
  ['2.5.4.3', 'CN'],
  ['2.5.4.5', 'serialNumber'],
  ['2.5.4.6', 'C'],
  ['2.5.4.7', 'L'],
  ['2.5.4.8', 'ST'],
  ['2.5.4.9', 'STREET'],
  ['2.5.4.10', 'O'],
  ['2.5.4.11', 'OU'],
  ['0.9.2342.19200300.100.1.1', 'UID'],
  ['0.9.2342.19200300.100.1.25', 'DC'],
  ['1.2.840.113549.1.9.1', 'emailAddress'],
])

export type NameAttribute = 'country' | 'domainComponent' | 'organization' | 'organizationalUnit' | 'commonName'

/** The attributes {@link encodeName} writes, in the order in which it writes them. */
const WRITABLE: Readonly<Record<NameAttribute, { oid: string; encode: (text: string) => Uint8Array }>> = {
  country: { oid: '2.5.4.6', encode: derPrintableString },
  domainComponent: { oid: '0.9.2342.19200300.100.1.25', encode: derIa5String },
  organization: { oid: '2.5.4.10', encode: derUtf8String },
  organizationalUnit: { oid: '2.5.4.11', encode: derUtf8String },
  commonName: { oid: '2.5.4.3', encode: derUtf8String },
}

/** A name of at most one value for each attribute. */
export type NameFields = { readonly [Attribute in NameAttribute]?: string | undefined }

/** The empty name, which Fulcio gives to every leaf. */
export const EMPTY_NAME: Name = { der: Uint8Array.of(TAG.SEQUENCE, 0), text: '' }

/**
 * Reads a Name element.
 * @throws DerError if it is not a sequence of sets of attributes.
 */
export function readName(element: DerElement): Name {
  const rdns: string[] = []
  const sequence = element.contents()
  while (!sequence.done) {
    const attributes: string[] = []
    const set = sequence.next(TAG.SET).contents()
    while (!set.done) attributes.push(readAttribute(set.next(TAG.SEQUENCE)))
    rdns.push(attributes.join('+'))
  }
  return { der: element.bytes, text: rdns.reverse().join(',') }
}

/**
 * Reads a Name that stands alone.
 * @throws DerError
 */
export function parseName(bytes: Uint8Array): Name {
  return readName(readDer(bytes, TAG.SEQUENCE))
}

/**
 * Writes a name, one RDN an attribute.
 * @throws CertificateError CERTIFICATE_FIELD if a value is empty or its string type cannot hold it.
 */
export function encodeName(fields: NameFields): Name {
  const rdns: Uint8Array[] = []
  for (const [attribute, { oid, encode }] of Object.entries(WRITABLE) as [
    keyof NameFields,
    (typeof WRITABLE)[keyof NameFields],
  ][]) {
    const value = fields[attribute]
    if (value === undefined) continue
    if (value === '') throw new CertificateError('CERTIFICATE_FIELD', `the name's ${attribute} is empty`)
    rdns.push(derSet(derSequence(derOid(oid), encode(value))))
  }
  return parseName(derSequence(...rdns))
}

function readAttribute(element: DerElement): string {
  const reader = element.contents()
  const oid = readOid(reader.next(TAG.OID))
  const value = reader.next()
  reader.end()
  const type = SHORT_NAMES.get(oid)
  // RFC 4514 §2.4: without a short name, or without a text form, the value is shown as its DER in hex.
  if (type === undefined) return `${oid}=#${encodeHex(value.bytes)}`
  return `${type}=${valueText(value)}`
}

function valueText(value: DerElement): string {
  try {
    return escapeValue(readString(value))
  } catch {
    return `#${encodeHex(value.bytes)}`
  }
}

function escapeValue(text: string): string {
  return text
    .replace(/[",+;<>\\]/g, '\\$&')
    .replace(/^[ #]| $/g, '\\$&')
    .replace(/[\u0000-\u001f\u007f]/g, (c) => `\\${c.charCodeAt(0).toString(16).padStart(2, '0')}`)
}
