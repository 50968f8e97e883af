/**
 * The proof that a log includes an entry, under a checkpoint that the log signed (RFC 9162 §2.1.3, C2SP tlog-checkpoint).
 *
 * @module
 */
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { parseSignedCheckpoint } from '#formats/checkpoint/checkpoint'
import type { SignedCheckpoint } from '#formats/checkpoint/checkpoint'
import { hashLeaf } from '#formats/merkle/hash'
import { verifyInclusion } from '#formats/merkle/proof'
import { noteVerifierForKey, verifyNote } from '#formats/note/verify'
import type { InclusionProof, LogEntry } from '#formats/rekor-entry/log-entry'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import { VerificationError } from '../errors.js'
import { checkOrigin, readOrigin } from './checkpoint-origin.js'
import type { Origin } from './checkpoint-origin.js'

/** An inclusion proof that has a checkpoint. */
export type SignedInclusionProof = InclusionProof & { readonly checkpoint: string }

/**
 * Verifies that the entry is in the tree of the checkpoint, and the checkpoint's signature.
 * Signatures of unknown keys on the checkpoint (witnesses) are ignored, wherever they stand.
 * @throws VerificationError `VERIFY_CHECKPOINT`, MerkleError, CheckpointError, NoteError
 */
export async function verifySignedInclusion(
  entry: LogEntry,
  proof: SignedInclusionProof,
  { log, all }: { readonly log: TrustedLog; readonly all: readonly TrustedLog[] },
): Promise<SignedCheckpoint> {
  const { signed, origin } = verifyInclusionUnderAnyCheckpoint(entry, proof)
  checkOrigin(origin, log, all)
  await verifyCheckpointSignature(signed, origin, log)
  return signed
}

/**
 * Verifies that the entry is in the tree that the checkpoint states. Who signed the checkpoint is not asked: this shows that a
 * proof belongs to an entry, and nothing about a log.
 * @throws VerificationError `VERIFY_CHECKPOINT`, `VERIFY_LOG_INCLUSION`, MerkleError, CheckpointError
 */
export function verifyInclusionUnderAnyCheckpoint(
  entry: LogEntry,
  proof: SignedInclusionProof,
): { readonly signed: SignedCheckpoint; readonly origin: Origin } {
  const signed = parseSignedCheckpoint(proof.checkpoint)
  const { checkpoint } = signed
  // The copies beside the checkpoint are not signed: nothing may rest on them, and a difference is a sign of tampering.
  if (checkpoint.size !== proof.treeSize || !equalBytes(checkpoint.rootHash, proof.rootHash)) {
    throw new VerificationError('VERIFY_CHECKPOINT', 'the checkpoint is not the one that the proof is for', {
      expected: `size ${String(proof.treeSize)}, root ${encodeHex(proof.rootHash)}`,
      found: `size ${String(checkpoint.size)}, root ${encodeHex(checkpoint.rootHash)}`,
    })
  }
  const leafHash = hashLeaf(entry.canonicalizedBody)
  verifyInclusion({
    leafIndex: proof.logIndex,
    treeSize: checkpoint.size,
    leafHash,
    proof: proof.hashes,
    root: checkpoint.rootHash,
  })
  const origin = readOrigin(checkpoint.origin)
  if (origin.rule === 'note' && entry.logIndex !== proof.logIndex) {
    // Only Rekor v1 counts across shards; elsewhere the index that people are shown is the one that is proved.
    throw new VerificationError('VERIFY_LOG_INCLUSION', 'the index of the entry is not the one that is proved', {
      expected: String(proof.logIndex),
      found: String(entry.logIndex),
    })
  }
  return { signed, origin }
}

async function verifyCheckpointSignature(signed: SignedCheckpoint, origin: Origin, log: TrustedLog): Promise<void> {
  const derived = noteVerifierForKey({ name: origin.name, key: log.key, rule: origin.rule, algorithm: log.algorithm })
  // The name is required for Rekor v1 too: its signature line repeats the name of the origin.
  await verifyNote(signed.note, [{ ...derived, name: origin.name }])
}
