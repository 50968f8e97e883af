/**
 * Whether a log entry is about this artifact, this signature and this signer (client-spec §4.4).
 *
 * An entry that is merely in a log proves nothing about what is being verified (GHSA-whqx-f9j3-ch6m).
 *
 * @module
 */
import type { Algorithm } from '#crypto/algorithms'
import { digest as digestOf } from '#crypto/digest'
import type { DigestName } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { preAuthEncode } from '#formats/dsse/pae'
import type { DsseEnvelope } from '#formats/dsse/envelope'
import { parseEntryBody } from '#formats/rekor-entry/body'
import type { EntryBody, EntrySignature } from '#formats/rekor-entry/model'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { SignedContent } from '#formats/signed-entity'
import type { ArtifactView } from '../artifact.js'
import { VerificationError } from '../errors.js'

/** Who signed: the certificate as it stands, or the managed key. */
export type Signer =
  | { readonly kind: 'certificate'; readonly certificate: Uint8Array; readonly key: PublicKey }
  | {
      readonly kind: 'key'
      readonly key: PublicKey
      /** Of a key that is known by its certificate: an entry may name either. */
      readonly certificate?: Uint8Array | undefined
    }

/** What an entry has to be about. */
export interface Signing {
  readonly content: SignedContent
  readonly signature: Uint8Array
  readonly signer: Signer
  readonly artifact: ArtifactView
  /** The algorithms that the signature may be of. */
  readonly algorithms: readonly Algorithm[]
}

/** What a bound entry says beyond the binding. */
export interface BoundEntry {
  readonly body: EntryBody
  /** Rekor v2 states the algorithm of the signature, which then must be it. */
  readonly algorithm: Algorithm | undefined
}

/**
 * Requires the entry to be about the signing.
 * @throws VerificationError `VERIFY_LOG_ENTRY`, `VERIFY_LOG_ENTRY_MISMATCH`, `VERIFY_ARTIFACT_REQUIRED`; RekorEntryError
 */
export function bindEntry(entry: LogEntry, signing: Signing): BoundEntry {
  const body = parseEntryBody(entry.canonicalizedBody)
  // Only the body is signed by the log; a kind beside it that says otherwise would be read by another program differently.
  if (body.kind !== entry.kind || body.version !== entry.version) {
    throw new VerificationError('VERIFY_LOG_ENTRY', 'the entry is of another kind than it is said to be', {
      expected: `${entry.kind} ${entry.version}`,
      found: `${body.kind} ${body.version}`,
    })
  }
  const signatures: readonly EntrySignature[] = body.signatures
  const [signed, ...others] = signatures
  if (signed === undefined || others.length > 0) {
    throw new VerificationError('VERIFY_LOG_ENTRY', 'the entry has not exactly one signature', {
      expected: '1',
      found: String(body.signatures.length),
    })
  }
  if (!equalBytes(signed.signature, signing.signature)) throw mismatch('the entry is about another signature')
  checkSigner(signed, signing.signer)
  const algorithm = statedAlgorithm(signed, signing.algorithms)
  if (signing.content.kind === 'dsse') bindEnvelope(body, signing.content.envelope)
  else bindArtifact(body, signing.artifact)
  return { body, algorithm }
}

function checkSigner({ verifier }: EntrySignature, signer: Signer): void {
  const { certificate } = signer
  const same =
    verifier.kind === 'certificate'
      ? certificate !== undefined && equalBytes(verifier.certificate, certificate)
      : signer.kind === 'key' && equalBytes(verifier.spki, signer.key.spki)
  if (same) return
  const what = signer.kind === 'certificate' ? 'the certificate' : 'the key'
  throw mismatch(`the entry is about another ${signer.kind}`, {
    expected: `${what} of this signature`,
    found: `another ${verifier.kind}`,
  })
}

function statedAlgorithm({ keyDetails }: EntrySignature, algorithms: readonly Algorithm[]): Algorithm | undefined {
  if (keyDetails === undefined) return undefined
  const algorithm = algorithms.find((each) => each.keyDetails === keyDetails)
  if (algorithm !== undefined) return algorithm
  throw mismatch('the entry states an algorithm that the signature cannot be of', {
    expected: algorithms.map((each) => each.keyDetails).join(' or '),
    found: keyDetails,
  })
}

function bindEnvelope(body: EntryBody, envelope: DsseEnvelope): void {
  if (body.kind !== 'hashedrekord') {
    checkDigest('payload', body.payloadHash, digestOf(body.payloadHash.algorithm, envelope.payload))
    return
  }
  // Rekor v2 §6.1.4: the logged artifact is the pre-authentication encoding. A v1 entry cannot be of this form.
  if (body.version !== '0.0.2') {
    throw mismatch('the entry is about a bare signature, not an envelope', {
      expected: 'dsse, intoto or hashedrekord 0.0.2',
      found: `${body.kind} ${body.version}`,
    })
  }
  const encoded = preAuthEncode(envelope.payloadType, envelope.payload)
  checkDigest('envelope', body.digest, digestOf(body.digest.algorithm, encoded))
}

function bindArtifact(body: EntryBody, artifact: ArtifactView): void {
  if (body.kind !== 'hashedrekord') {
    throw mismatch('the entry is about an envelope, not a bare signature', {
      expected: 'hashedrekord',
      found: body.kind,
    })
  }
  const found = artifact.digest(body.digest.algorithm)
  if (found === undefined) {
    throw new VerificationError(
      'VERIFY_ARTIFACT_REQUIRED',
      'the digest of the artifact is not of the kind that the log entry has',
      {
        expected: body.digest.algorithm,
        found: artifact.describe(),
        hint: 'give the artifact itself',
      },
    )
  }
  checkDigest('artifact', body.digest, found)
}

function checkDigest(
  what: string,
  stated: { readonly algorithm: DigestName; readonly value: Uint8Array },
  actual: Uint8Array,
): void {
  if (equalBytes(stated.value, actual)) return
  throw mismatch(`the entry is about another ${what}`, {
    expected: `${stated.algorithm}:${encodeHex(actual)}`,
    found: `${stated.algorithm}:${encodeHex(stated.value)}`,
  })
}

function mismatch(message: string, detail: { expected?: string; found?: string } = {}): VerificationError {
  return new VerificationError('VERIFY_LOG_ENTRY_MISMATCH', message, {
    ...detail,
    hint: 'the log entry was made for something else and does not vouch for this',
  })
}
