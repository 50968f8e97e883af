/** What is proposed to a Rekor v1: its models of hashedrekord 0.0.1, dsse 0.0.1 and intoto 0.0.2. @module */
import { digest } from '#crypto/digest'
import { encodeBase64 } from '#encoding/base64'
import type { JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { type DsseEnvelope, serializeEnvelope } from '#formats/dsse/envelope'
import { hashedRekordV1Spec, hashJson, intotoSignatureJson } from '#formats/rekor-entry/body-v1'
import type { EntryVerifier } from '#formats/rekor-entry/model'
import { verifierToPem } from '#formats/rekor-entry/verifier-pem'
import type { LogSubmission } from './ports.js'

/** How an envelope is recorded in Rekor v1. */
export type EnvelopeEntryKind = 'dsse' | 'intoto'

/** The entry for a signature: of the envelope's kind where one was signed, else a hashedrekord. */
export function proposeEntry(submission: Omit<LogSubmission, 'signer'>, kind: EnvelopeEntryKind): JsonValue {
  const { envelope, signature, verifier } = submission
  if (envelope === undefined) {
    const spec = hashedRekordV1Spec({ digest: submission.digest, signature: { signature, verifier } })
    return { apiVersion: '0.0.1', kind: 'hashedrekord', spec }
  }
  return kind === 'dsse' ? proposeDsse(envelope, verifier) : proposeIntoto(envelope, verifier)
}

function proposeDsse(envelope: DsseEnvelope, verifier: EntryVerifier): JsonValue {
  const text = new TextDecoder().decode(serializeEnvelope(envelope))
  const verifiers = [encodeBase64(encodeUtf8(verifierToPem(verifier)))]
  return { apiVersion: '0.0.1', kind: 'dsse', spec: { proposedContent: { envelope: text, verifiers } } }
}

/** In an intoto entry payload and signatures are base64 of base64 (servers: pkg/types/intoto/v0.0.2). */
function proposeIntoto(envelope: DsseEnvelope, verifier: EntryVerifier): JsonValue {
  const source = serializeEnvelope(envelope)
  const content = {
    envelope: {
      payload: encodeBase64(encodeUtf8(encodeBase64(envelope.payload))),
      payloadType: envelope.payloadType,
      signatures: envelope.signatures.map((each) => intotoSignatureJson({ ...each, verifier })),
    },
    hash: hashJson({ algorithm: 'sha256', value: digest('sha256', source) }),
    payloadHash: hashJson({ algorithm: 'sha256', value: digest('sha256', envelope.payload) }),
  }
  return { apiVersion: '0.0.2', kind: 'intoto', spec: { content } }
}
