/** What is checked before an entry is logged: every signature in it, by the key that comes with it. @module */
import { ALGORITHMS } from '#crypto/algorithms'
import type { Algorithm, SignatureScheme } from '#crypto/algorithms'
import { sha256 } from '#crypto/digest'
import type { PublicKey } from '#crypto/public-key'
import { parsePublicKey } from '#crypto/public-key'
import { verifyDigestSignature, verifySignature } from '#crypto/verify'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import { serializeEnvelope, IN_TOTO_PAYLOAD_TYPE } from '#formats/dsse/envelope'
import { preAuthEncode } from '#formats/dsse/pae'
import { encodeDsseV1, encodeHashedRekordV1, encodeIntotoV2 } from '#formats/rekor-entry/body-v1'
import type { EntrySignature, EntryVerifier } from '#formats/rekor-entry/model'
import type { ProposedDsse, ProposedEntryV1, ProposedIntoto } from '#formats/rekor-entry/proposed-v1'
import type { Certificate } from '#formats/x509/certificate'
import { certificateKey } from '#formats/x509/certificate-key'
import { verifyCertificateSignature } from '#formats/x509/certificate-signature'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { RekorV1Error } from './errors.js'
import { encodeIntoto001 } from './intoto-001.js'
import type { Proposal, ProposedIntoto001 } from './intoto-001.js'
import { statementTerms, verifierTerms } from './search-terms.js'

/** An entry that may be logged. */
export interface CheckedEntry {
  /** What is logged. */
  readonly body: Uint8Array
  /** Terms from what is not in the body. */
  readonly terms: readonly string[]
  /** The payload of an attestation, and its SHA-256 in hexadecimal, for kinds that keep it. */
  readonly attestation?: { readonly name: string; readonly bytes: Uint8Array } | undefined
}

type HashedRekord = Extract<ProposedEntryV1, { kind: 'hashedrekord' }>

const CHECKS = {
  hashedrekord: (entry: Proposal) => checkHashedRekord(entry as HashedRekord),
  dsse: (entry: Proposal) => checkDsse(entry as ProposedDsse),
  intoto: (entry: Proposal) => checkIntoto(entry as ProposedIntoto),
  'intoto-0.0.1': (entry: Proposal) => checkIntoto001(entry as ProposedIntoto001),
} satisfies Readonly<Record<Proposal['kind'], (entry: Proposal) => Promise<CheckedEntry>>>

/**
 * Checks a proposal and makes the body under which it is logged.
 * @throws RekorV1Error `REKOR_V1_SIGNATURE`, `REKOR_V1_KEY`, `REKOR_V1_ALGORITHM`, `REKOR_V1_CHAIN`
 */
export function checkProposal(entry: Proposal): Promise<CheckedEntry> {
  return CHECKS[entry.kind](entry)
}

/** The signature is over the artifact, which is known by its digest only. */
async function checkHashedRekord({ digest, signatures }: HashedRekord): Promise<CheckedEntry> {
  const [signature] = signatures
  const key = await verifierKey(signature.verifier)
  const scheme = digestAlgorithm(key, digest.algorithm)
  if (!(await verifyDigestSignature({ key, scheme, signature: signature.signature }, digest.value)))
    throw wrongSignature()
  return { body: encodeHashedRekordV1({ digest, signature }), terms: [] }
}

/** Every signature of the envelope has to verify with one of the verifiers; those that none of them made are refused. */
async function checkDsse({ envelope, verifiers }: ProposedDsse): Promise<CheckedEntry> {
  const message = preAuthEncode(envelope.payloadType, envelope.payload)
  const keys = await Promise.all(verifiers.map(async (verifier) => ({ verifier, key: await verifierKey(verifier) })))
  const signatures: EntrySignature[] = []
  for (const { signature } of envelope.signatures) {
    const verifier = await firstThatVerifies(keys, signature, message)
    if (verifier === undefined) throw wrongSignature()
    signatures.push({ signature, verifier })
  }
  const body = encodeDsseV1({
    envelopeHash: { algorithm: 'sha256', value: sha256(serializeEnvelope(envelope)) },
    payloadHash: { algorithm: 'sha256', value: sha256(envelope.payload) },
    signatures,
  })
  return { body, terms: payloadTerms(envelope.payloadType, envelope.payload) }
}

async function checkIntoto({ payloadType, payload, signatures, hash }: ProposedIntoto): Promise<CheckedEntry> {
  const message = preAuthEncode(payloadType, payload)
  for (const { signature, verifier } of signatures) {
    const key = await verifierKey(verifier)
    if (!(await isMessageSignature(key, signature, message))) throw wrongSignature()
  }
  const payloadHash = { algorithm: 'sha256', value: sha256(payload) } as const
  return {
    body: encodeIntotoV2({ payloadType, hash, payloadHash, signatures }),
    terms: payloadTerms(payloadType, payload),
    attestation: { name: encodeHex(payloadHash.value), bytes: payload },
  }
}

async function checkIntoto001(entry: ProposedIntoto001): Promise<CheckedEntry> {
  const { envelope, verifier, source } = entry
  const message = preAuthEncode(envelope.payloadType, envelope.payload)
  const key = await verifierKey(verifier)
  for (const { signature } of envelope.signatures) {
    if (!(await isMessageSignature(key, signature, message))) throw wrongSignature()
  }
  const hashes = [source, envelope.payload].map((bytes) => encodeHex(sha256(bytes)))
  return {
    body: encodeIntoto001(entry),
    terms: [
      ...hashes.map((hash) => `sha256:${hash}`),
      ...verifierTerms(verifier),
      ...payloadTerms(envelope.payloadType, envelope.payload),
    ],
    attestation: { name: encodeHex(sha256(envelope.payload)), bytes: envelope.payload },
  }
}

async function firstThatVerifies(
  keys: readonly { readonly verifier: EntryVerifier; readonly key: PublicKey }[],
  signature: Uint8Array,
  message: Uint8Array,
): Promise<EntryVerifier | undefined> {
  for (const { verifier, key } of keys) if (await isMessageSignature(key, signature, message)) return verifier
  return undefined
}

/** The reference server takes SHA-256 with every curve here; clients of larger curves use the matching hash. */
async function isMessageSignature(key: PublicKey, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  for (const scheme of messageSchemes(key)) {
    if (await verifySignature({ key, scheme, signature }, message)) return true
  }
  return false
}

function messageSchemes(key: PublicKey): readonly (SignatureScheme | Algorithm)[] {
  const schemes = Object.values(ALGORITHMS).filter(
    ({ family, keyType }) => keyType === key.keyType && MESSAGE_FAMILIES.has(family),
  )
  // RSA keys of unusual sizes are in no row of the registry, and sign all the same.
  const fitting = schemes.filter(({ keyBits }) => keyBits === undefined || keyBits === key.keyBits)
  if (fitting.length > 0) return fitting
  throw new RekorV1Error('REKOR_V1_ALGORITHM', 'entry algorithms are not allowed', { found: keyName(key) })
}

const MESSAGE_FAMILIES: ReadonlySet<SignatureScheme['family']> = new Set(['ecdsa', 'rsa-pkcs1', 'ed25519'])
const DIGEST_FAMILIES: ReadonlySet<SignatureScheme['family']> = new Set(['ecdsa', 'rsa-pkcs1', 'ed25519-ph'])

/** The registered algorithm of a key over such a digest. Curves with a foreign hash are no longer accepted. */
function digestAlgorithm(key: PublicKey, digest: string): Algorithm {
  const found = Object.values(ALGORITHMS).find(
    (row) =>
      row.keyType === key.keyType &&
      row.digest === digest &&
      DIGEST_FAMILIES.has(row.family) &&
      row.verifyOnly !== true &&
      (row.keyBits === undefined || row.keyBits === key.keyBits),
  )
  if (found !== undefined) return found
  throw new RekorV1Error('REKOR_V1_ALGORITHM', 'entry algorithms are not allowed', {
    expected: 'a key of the algorithm registry with its own hash',
    found: `${keyName(key)} with ${digest}`,
  })
}

function keyName({ keyType, keyBits }: PublicKey): string {
  return keyBits === undefined ? keyType : `${keyType}-${String(keyBits)}`
}

/** The key of a verifier. Certificates that come in a chain have to be one. */
async function verifierKey(verifier: EntryVerifier): Promise<PublicKey> {
  try {
    if (verifier.kind === 'public-key') return parsePublicKey(verifier.spki)
    const chain = [verifier.certificate, ...verifier.chain].map((der) => parseCertificate(der))
    await checkChain(chain)
    const [leaf] = chain
    if (leaf !== undefined) return certificateKey(leaf)
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorV1Error) throw cause
    throw new RekorV1Error('REKOR_V1_KEY', `the key or certificate cannot be used: ${cause.message}`, {
      found: cause.found,
      cause,
    })
  }
  throw new RekorV1Error('REKOR_V1_KEY', 'there is no certificate')
}

async function checkChain(chain: readonly Certificate[]): Promise<void> {
  for (const [at, issuer] of chain.slice(1).entries()) {
    const subject = chain[at]
    if (subject === undefined) return
    try {
      await verifyCertificateSignature(subject, certificateKey(issuer))
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      throw new RekorV1Error('REKOR_V1_CHAIN', `certificate ${String(at)} is not signed by the one after it`, { cause })
    }
  }
}

function payloadTerms(payloadType: string, payload: Uint8Array): readonly string[] {
  return payloadType === IN_TOTO_PAYLOAD_TYPE ? statementTerms(payload) : []
}

function wrongSignature(): RekorV1Error {
  return new RekorV1Error('REKOR_V1_SIGNATURE', 'the signature does not verify with the key of the entry', {
    hint: 'sign the artifact again; nothing was logged',
  })
}
