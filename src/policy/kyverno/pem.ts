/** Keys and certificates as policies write them: one or several PEM blocks. @module */
import { publicKeyFromPem } from '#crypto/public-key'
import type { PublicKey } from '#crypto/public-key'
import { decodeBase64 } from '#encoding/base64'
import { encodePem, parsePem } from '#encoding/pem'
import { decodeUtf8 } from '#encoding/utf8'
import type { Certificate } from '#formats/x509/certificate'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { PolicyError } from '../internal/policy-error.js'

const MAX_KEYS = 200
/** Every further certificate makes the search for a path longer (CVE-2026-32280). */
const MAX_CERTIFICATES = 12

/**
 * Each key of a text. There is at least one.
 * @throws EncodingError, KeyError, PolicyError `POLICY_KEY`
 */
export function readPublicKeys(text: string): readonly PublicKey[] {
  const blocks = parsePem(text)
  if (blocks.length > MAX_KEYS) throw new PolicyError('POLICY_KEY', 'there are too many keys', tooMany(MAX_KEYS))
  return blocks.map(({ label, bytes }) => publicKeyFromPem(encodePem(label, bytes)))
}

/**
 * Each certificate of a text. There is at least one.
 * @throws EncodingError, CertificateError, PolicyError `POLICY_KEY`
 */
export function readCertificates(text: string): readonly Certificate[] {
  const blocks = parsePem(text.includes('-----BEGIN') ? text : decodeUtf8(decodeBase64(text.replace(/\s+/g, ''))))
  if (blocks.length > MAX_CERTIFICATES)
    throw new PolicyError('POLICY_KEY', 'certificate chain too long', tooMany(MAX_CERTIFICATES))
  const other = blocks.find(({ label }) => label !== 'CERTIFICATE')
  if (other !== undefined)
    throw new PolicyError('POLICY_KEY', 'this is no certificate', { expected: 'CERTIFICATE', found: other.label })
  return blocks.map(({ bytes }) => parseCertificate(bytes))
}

function tooMany(most: number): { readonly expected: string } {
  return { expected: `at most ${String(most)}` }
}
