/** GeneralName of RFC 5280 §4.2.1.6: read and written. @module */
import { concatBytes } from '#encoding/bytes'
import type { DerElement } from '#encoding/der'
import { TAG, contextTag, readDer, readOid } from '#encoding/der'
import { derExplicit, derImplicit, derOid, derSequence } from '#encoding/der-writer'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { CertificateError } from './errors.js'
import type { Name } from './name.js'
import { parseName } from './name.js'

export type GeneralName =
  | { readonly kind: 'email'; readonly value: string }
  | { readonly kind: 'dns'; readonly value: string }
  | { readonly kind: 'uri'; readonly value: string }
  | { readonly kind: 'ip'; readonly value: Uint8Array }
  | { readonly kind: 'directory'; readonly value: Name }
  /** `text` is there when the value is a UTF8String, as Fulcio's user names are (OID 1.3.6.1.4.1.57264.1.7). */
  | { readonly kind: 'other'; readonly oid: string; readonly value: Uint8Array; readonly text: string | undefined }
  /** x400Address, ediPartyName, registeredID: kept, not understood. */
  | { readonly kind: 'unsupported'; readonly tag: number; readonly value: Uint8Array }

type Reader = (element: DerElement) => GeneralName

const READERS: ReadonlyMap<number, Reader> = new Map<number, Reader>([
  [contextTag(0, { constructed: true }), readOtherName],
  [contextTag(1), (element) => ({ kind: 'email', value: readIa5(element) })],
  [contextTag(2), (element) => ({ kind: 'dns', value: readIa5(element) })],
  [contextTag(4, { constructed: true }), (element) => ({ kind: 'directory', value: parseName(element.content) })],
  [contextTag(6), (element) => ({ kind: 'uri', value: readIa5(element) })],
  [contextTag(7), (element) => ({ kind: 'ip', value: element.content })],
])

const UNSUPPORTED_TAGS: ReadonlySet<number> = new Set([
  contextTag(3, { constructed: true }),
  contextTag(5, { constructed: true }),
  contextTag(8),
])

/** Reads one GeneralName. @throws DerError, EncodingError or CertificateError CERTIFICATE_MALFORMED */
export function readGeneralName(element: DerElement): GeneralName {
  const read = READERS.get(element.tag)
  if (read !== undefined) return read(element)
  if (UNSUPPORTED_TAGS.has(element.tag)) return { kind: 'unsupported', tag: element.tag, value: element.content }
  throw new CertificateError('CERTIFICATE_MALFORMED', 'a GeneralName has an unknown tag', {
    expected: 'a context tag from 0 to 8',
    found: `tag 0x${element.tag.toString(16)}`,
  })
}

/** Reads GeneralNames, of which there must be at least one. @throws as {@link readGeneralName} */
export function readGeneralNames(element: DerElement): readonly GeneralName[] {
  const names: GeneralName[] = []
  const reader = element.contents()
  while (!reader.done) names.push(readGeneralName(reader.next()))
  if (names.length === 0) throw new CertificateError('CERTIFICATE_MALFORMED', 'GeneralNames is empty')
  return names
}

/**
 * Writes one GeneralName.
 * @throws CertificateError CERTIFICATE_FIELD if the text is not what the kind allows.
 */
export function encodeGeneralName(name: GeneralName): Uint8Array {
  switch (name.kind) {
    case 'email':
      return derImplicit(1, ia5(name.value))
    case 'dns':
      return derImplicit(2, ia5(name.value))
    case 'uri':
      return derImplicit(6, ia5(name.value))
    case 'ip':
      return derImplicit(7, name.value)
    case 'directory':
      return derExplicit(4, name.value.der)
    case 'other':
      return derImplicit(0, concatBytes(derOid(name.oid), derExplicit(0, name.value)), { constructed: true })
    case 'unsupported':
      throw new CertificateError('CERTIFICATE_FIELD', 'this kind of GeneralName cannot be written')
  }
}

/** Writes GeneralNames. */
export function encodeGeneralNames(names: readonly GeneralName[]): Uint8Array {
  return derSequence(...names.map(encodeGeneralName))
}

function readOtherName(element: DerElement): GeneralName {
  const reader = element.contents()
  const oid = readOid(reader.next(TAG.OID))
  const value = readDer(reader.next(contextTag(0, { constructed: true })).content)
  reader.end()
  const text = value.tag === TAG.UTF8_STRING ? decodeUtf8(value.content) : undefined
  return { kind: 'other', oid, value: value.bytes, text }
}

// IA5String: a byte above 0x7f or a control character in an identity is an attempt at confusion, never a real name.
const VISIBLE_ASCII = /^[\x20-\x7e]*$/

function readIa5(element: DerElement): string {
  const text = decodeUtf8(element.content)
  if (VISIBLE_ASCII.test(text)) return text
  throw new CertificateError('CERTIFICATE_MALFORMED', 'a GeneralName has characters outside of printable ASCII')
}

function ia5(text: string): Uint8Array {
  if (text !== '' && VISIBLE_ASCII.test(text)) return encodeUtf8(text)
  throw new CertificateError('CERTIFICATE_FIELD', 'a name for a certificate is empty or not printable ASCII', {
    expected: 'characters from U+0020 to U+007E',
  })
}
