/** What is signed, and the signature over it. @module */
import { createDigest, type DigestName } from '#crypto/digest'
import type { Signer } from '#crypto/private-key'
import { digest } from '#crypto/digest'
import { concatBytes, equalBytes } from '#encoding/bytes'
import { encodeUtf8 } from '#encoding/utf8'
import type { DsseEnvelope } from '#formats/dsse/envelope'
import { preAuthEncode } from '#formats/dsse/pae'
import type { EntryDigest } from '#formats/rekor-entry/model'
import type { SignedContent } from '#formats/signed-entity'
import { SignError } from './sign-error.js'

/** A file or any other bytes, signed as they are. */
export interface MessageToSign {
  readonly kind: 'message'
  /** Read once, from the beginning to the end; its size does not matter. */
  readonly data: Uint8Array | AsyncIterable<Uint8Array>
}

/** A payload that goes into a DSSE envelope. */
export interface EnvelopeToSign {
  readonly kind: 'envelope'
  readonly payloadType: string
  readonly payload: Uint8Array
}

export type ContentToSign = MessageToSign | EnvelopeToSign

/** A signature, before anybody has witnessed it. */
export interface BareSignature {
  readonly content: SignedContent
  readonly signature: Uint8Array
  /** Of what the signature is over, with the digest that its algorithm uses: what a hashedrekord entry states. */
  readonly digest: EntryDigest
  readonly envelope?: DsseEnvelope
  /** The message, if it was given whole, or had to be held whole to be signed. */
  readonly message?: Uint8Array
}

/**
 * Signs content, reading a stream only once. It is held in memory only for algorithms that sign the message itself.
 * @throws SignError `SIGN_CONFUSABLE`
 */
export async function signBare(signer: Signer, content: ContentToSign): Promise<BareSignature> {
  const algorithm = digestOf(signer)
  if (content.kind === 'envelope') {
    const signed = preAuthEncode(content.payloadType, content.payload)
    const signature = await signer.sign(signed)
    const { payloadType, payload } = content
    const envelope: DsseEnvelope = { payloadType, payload, signatures: [{ keyId: '', signature }] }
    return {
      content: { kind: 'dsse', envelope },
      envelope,
      signature,
      digest: { algorithm, value: digest(algorithm, signed) },
    }
  }
  const running = createDigest(algorithm)
  const held: Uint8Array[] | undefined = signer.algorithm.digest === undefined ? [] : undefined
  const { data } = content
  const signature = await signer.sign(
    data instanceof Uint8Array ? observed(data, running) : observedStream(data, running, held),
  )
  const value = running.digest()
  const message = data instanceof Uint8Array ? data : held && concatBytes(...held)
  return {
    content: { kind: 'message-signature', signature, digestAlgorithm: algorithm, digest: value },
    signature,
    digest: { algorithm, value },
    ...(message !== undefined && { message }),
  }
}

/** What an algorithm without a digest of its own (pure Ed25519, ML-DSA) is recorded with. */
function digestOf(signer: Signer): DigestName {
  return signer.algorithm.digest ?? (signer.algorithm.family === 'ed25519' ? 'sha512' : 'sha256')
}

/** How the pre-authentication encoding of every envelope begins. */
const ENVELOPE_START = encodeUtf8('DSSEv1 ')

/**
 * A file of this form, signed as it is, would have the very signature (and in a Rekor v2 the very entry) of an envelope: whoever may
 * have a file signed could have an image or an attestation signed.
 */
function refuseEnvelope(head: Uint8Array): void {
  if (!equalBytes(head.subarray(0, ENVELOPE_START.length), ENVELOPE_START)) return
  throw new SignError('SIGN_CONFUSABLE', 'the signature on this file could pass for one on an attestation', {
    expected: 'a file that does not begin as the encoding of a DSSE envelope does',
    found: 'DSSEv1 …',
    hint: 'pack the file, or sign a statement about it (attest-blob)',
  })
}

function observed(data: Uint8Array, running: ReturnType<typeof createDigest>): Uint8Array {
  refuseEnvelope(data)
  running.update(data)
  return data
}

async function* observedStream(
  data: AsyncIterable<Uint8Array>,
  running: ReturnType<typeof createDigest>,
  held: Uint8Array[] | undefined,
): AsyncGenerator<Uint8Array> {
  let head: Uint8Array = new Uint8Array()
  for await (const chunk of data) {
    if (head.length < ENVELOPE_START.length) {
      head = concatBytes(head, chunk.subarray(0, ENVELOPE_START.length))
      refuseEnvelope(head)
    }
    running.update(chunk)
    held?.push(chunk)
    yield chunk
  }
}
