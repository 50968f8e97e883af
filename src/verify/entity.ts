/**
 * Whether an entity has the form that verification is defined for, before anything in it is believed.
 *
 * @module
 */
import { parseCertificate } from '#formats/x509/parse-certificate'
import { isSelfIssued } from '#formats/x509/self-issued'
import type { Certificate } from '#formats/x509/certificate'
import type { SignedEntity } from '#formats/signed-entity'
import { VerificationError } from './errors.js'
import type { Policy } from './identity/identity-policy.js'

/** Every entry and time-stamp costs signature checks, and their number is the attacker's choice. */
const MAX_LOG_ENTRIES = 32
const MAX_TIMESTAMPS = 32
const MAX_CERTIFICATES = 10

/** An entity of a form that can be verified. */
export interface CheckedEntity {
  readonly entity: SignedEntity
  /** The raw signature: what log entries repeat. */
  readonly signature: Uint8Array
  /** What a time-stamp may be over: the signature, or (old attestation layers) the whole envelope that has it inside. */
  readonly stampable: readonly Uint8Array[]
  /** The signer's certificate and what came with it, or undefined if a key signed. */
  readonly certificates: readonly [Certificate, ...Certificate[]] | undefined
}

/**
 * Checks form and limits, and that certificate or key is what the policy speaks about.
 * @throws VerificationError `VERIFY_ENTITY`, `VERIFY_LIMIT`, `VERIFY_KEY_EXPECTED`, `VERIFY_CERTIFICATE_EXPECTED`; CertificateError
 */
export function checkEntity(entity: SignedEntity, policy: Policy): CheckedEntity {
  limit('log entries', entity.logEntries.length, MAX_LOG_ENTRIES)
  limit('timestamps', entity.timestamps.length, MAX_TIMESTAMPS)
  const signature = onlySignature(entity)
  if (signature.length === 0) throw new VerificationError('VERIFY_ENTITY', 'the signature is empty')
  const envelope = entity.content.kind === 'dsse' ? entity.content.envelope.source : undefined
  const stampable = envelope === undefined ? [signature] : [signature, envelope]
  if (policy.kind === 'key') {
    if (entity.key.kind === 'public-key') return { entity, signature, stampable, certificates: undefined }
    throw new VerificationError('VERIFY_KEY_EXPECTED', 'this was signed with a certificate, not with a key', {
      expected: 'a signature by the given key',
      found: 'a certificate',
      hint: 'say which identity and issuer must have signed, instead of a key',
    })
  }
  if (entity.key.kind === 'public-key') {
    throw new VerificationError('VERIFY_CERTIFICATE_EXPECTED', 'this was signed with a key, not with a certificate', {
      expected: 'a certificate that names the signer',
      found: 'a key',
      hint: 'give the public key that must have signed, instead of an identity',
    })
  }
  limit('certificates', entity.key.chain.length, MAX_CERTIFICATES)
  const [leaf, ...others] = entity.key.chain.map((der) => parseCertificate(der))
  if (leaf === undefined) throw new VerificationError('VERIFY_ENTITY', 'there is no certificate')
  refuseRoots(others)
  return { entity, signature, stampable, certificates: [leaf, ...others] }
}

function onlySignature({ content }: SignedEntity): Uint8Array {
  if (content.kind === 'message-signature') return content.signature
  const [signature, ...others] = content.envelope.signatures
  // Of several signatures only one would be in the log and time-stamped, and a reader could pick another.
  if (signature === undefined || others.length > 0) {
    throw new VerificationError('VERIFY_ENTITY', 'the envelope has not exactly one signature', {
      expected: '1',
      found: String(content.envelope.signatures.length),
    })
  }
  return signature.signature
}

/** A trust anchor comes from the trusted root; one that comes with the signature invites a reader to believe it (sigstore_bundle.proto). */
function refuseRoots(others: readonly Certificate[]): void {
  const root = others.find(isSelfIssued)
  if (root === undefined) return
  throw new VerificationError('VERIFY_ENTITY', 'a root certificate came with the signature', {
    expected: 'the signer’s certificate, and at most intermediates',
    found: root.subject.text,
  })
}

function limit(what: string, found: number, most: number): void {
  if (found <= most) return
  throw new VerificationError('VERIFY_LIMIT', `there are too many ${what}`, {
    expected: `at most ${String(most)}`,
    found: String(found),
  })
}
