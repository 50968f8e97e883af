/** The PEM form in which Rekor v1 keeps keys and certificates. @module */
import type { PemBlock } from '#encoding/pem'
import { encodePem, parsePem } from '#encoding/pem'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import type { EntryVerifier } from './model.js'
import { RekorEntryError } from './rekor-entry-error.js'

/** Rekor accepts at most this many certificates for one signature. */
const MAX_CHAIN = 10

/**
 * Reads a public key, or a certificate with its chain.
 * @throws RekorEntryError `REKOR_ENTRY_VERIFIER`
 */
export function verifierFromPem(pem: Uint8Array): EntryVerifier {
  const [first, ...rest] = blocksOf(pem)
  if (first.label === 'PUBLIC KEY' && rest.length === 0) return { kind: 'public-key', spki: first.bytes }
  const certificates = [first, ...rest]
  const foreign = certificates.find((block) => block.label !== 'CERTIFICATE')
  if (foreign !== undefined) throw unusable(`a block ${foreign.label.slice(0, 40)}`)
  if (certificates.length > MAX_CHAIN) throw unusable(`${String(certificates.length)} certificates`)
  return { kind: 'certificate', certificate: first.bytes, chain: rest.map((block) => block.bytes) }
}

/** The canonical form: what the log keeps, whatever line lengths or comments were sent. */
export function verifierToPem(verifier: EntryVerifier): string {
  if (verifier.kind === 'public-key') return encodePem('PUBLIC KEY', verifier.spki)
  return [verifier.certificate, ...verifier.chain].map((der) => encodePem('CERTIFICATE', der)).join('')
}

function blocksOf(pem: Uint8Array): readonly [PemBlock, ...PemBlock[]] {
  try {
    const [first, ...rest] = parsePem(decodeUtf8(pem))
    if (first !== undefined) return [first, ...rest]
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw unusable('something else', cause)
  }
  throw unusable('nothing')
}

function unusable(found: string, cause?: unknown): RekorEntryError {
  return new RekorEntryError('REKOR_ENTRY_VERIFIER', 'the entry does not hold a usable key or certificate', {
    expected: `PEM of one public key, or of 1 to ${String(MAX_CHAIN)} certificates`,
    found,
    cause,
  })
}
