/** The certificates of all replicas in one Secret, whose `tls.crt`, `tls.key` and `ca.crt` are as everybody expects. @module */
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { bundleOf, expiryOf } from './rotation.js'
import type { CertificateState } from './rotation.js'
import type { ServingCertificate } from './issue.js'

/** What is in the Secret's `data`, decoded. */
type Entries = ReadonlyMap<string, string>

/** Undefined where the Secret holds no state, or a broken one: then another is made. */
export function readCertificateState(secret: JsonObject): CertificateState | undefined {
  const entries = entriesOf(secret['data'])
  const current = certificateIn(entries, '', 'current-ca.crt')
  if (current === undefined) return undefined
  const next = certificateIn(entries, 'next-', 'next-ca.crt')
  const previous = entries.get('previous-ca.crt')
  return {
    current,
    next: next === undefined ? undefined : { certificate: next, since: timeIn(entries, 'next-since') },
    previous:
      previous === undefined ? undefined : { authority: previous, since: timeIn(entries, 'previous-since') ?? 0 },
  }
}

/** The Secret's `data`. */
export function writeCertificateState(state: CertificateState): JsonObject {
  const { current, next, previous } = state
  const entries: Record<string, string> = {
    'tls.crt': current.certificate,
    'tls.key': current.key,
    'ca.crt': bundleOf(state),
    'current-ca.crt': current.authority,
    ...(next !== undefined && {
      'next-tls.crt': next.certificate.certificate,
      'next-tls.key': next.certificate.key,
      'next-ca.crt': next.certificate.authority,
      ...(next.since !== undefined && { 'next-since': String(next.since) }),
    }),
    ...(previous !== undefined && {
      'previous-ca.crt': previous.authority,
      'previous-since': String(previous.since),
    }),
  }
  const data = Object.entries(entries).map(([name, text]) => [name, encodeBase64(encodeUtf8(text))])
  return Object.fromEntries(data) as JsonObject
}

function certificateIn(entries: Entries, prefix: string, authorityName: string): ServingCertificate | undefined {
  const [authority, certificate, key] = [
    entries.get(authorityName),
    entries.get(`${prefix}tls.crt`),
    entries.get(`${prefix}tls.key`),
  ]
  if (authority === undefined || certificate === undefined || key === undefined) return undefined
  const read = { authority, certificate, key }
  return isReadable(read) ? read : undefined
}

function isReadable(certificate: ServingCertificate): boolean {
  try {
    return expiryOf(certificate) > 0 && certificate.key.includes('PRIVATE KEY')
  } catch (error) {
    if (!isCodedError(error)) throw error
    return false
  }
}

function timeIn(entries: Entries, name: string): number | undefined {
  const text = entries.get(name) ?? ''
  return /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

function entriesOf(data: JsonValue | undefined): Entries {
  if (!isJsonObject(data)) return new Map()
  return new Map(
    Object.entries(data).flatMap(([name, value]) => {
      const text = typeof value === 'string' ? decoded(value) : undefined
      return text === undefined ? [] : [[name, text] as const]
    }),
  )
}

function decoded(value: string): string | undefined {
  try {
    return decodeUtf8(decodeBase64(value))
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}
