/** Signed tree heads: as RFC 6962 §3.5 has them, and as the signature of a checkpoint (C2SP static-ct-api). @module */
import type { PrivateKey } from '#crypto/private-key'
import type { PublicKey } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import { ByteReader, concatBytes, equalBytes, uint16be, uint64be } from '#encoding/bytes'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { formatCheckpoint, parseSignedCheckpoint } from '#formats/checkpoint/checkpoint'
import { NOTE_KEY_TYPES, keyIdOf, noteKeyHash } from '#formats/note/key'
import { formatNote } from '#formats/note/note'
import { schemeCodes } from '#formats/sct/verify-sct'
import type { Clock, UnixMillis } from '#time'
import { TlogError } from '#tlog/errors'
import type { CheckpointPort } from '#tlog/rules'

export interface TreeHead {
  readonly size: number
  readonly rootHash: Uint8Array
  readonly timestamp: UnixMillis
}

const VERSION = 0
const SIGNATURE_TYPE_TREE_HASH = 1
const SCHEME_SIZE = 2

/** The digitally-signed struct of a tree head: two bytes of algorithm, then the signature with its length. */
export async function signTreeHead(head: TreeHead, key: PrivateKey): Promise<Uint8Array> {
  const { hashAlgorithm, signatureAlgorithm } = schemeCodes(key.algorithm)
  const signature = await key.sign(treeHeadInput(head))
  return concatBytes(Uint8Array.of(hashAlgorithm, signatureAlgorithm), uint16be(signature.length), signature)
}

/** Whether a digitally-signed struct is over that tree head, by that key with its usual algorithm. */
export async function isTreeHeadSignature(head: TreeHead, signed: Uint8Array, key: PrivateKey): Promise<boolean> {
  const { hashAlgorithm, signatureAlgorithm } = schemeCodes(key.algorithm)
  const reader = new ByteReader(signed)
  const codes = reader.take(SCHEME_SIZE)
  const signature = reader.vector(2)
  reader.end()
  if (!equalBytes(codes, Uint8Array.of(hashAlgorithm, signatureAlgorithm))) return false
  return verifySignature({ key: key.publicKey, scheme: key.algorithm, signature }, treeHeadInput(head))
}

function treeHeadInput({ size, rootHash, timestamp }: TreeHead): Uint8Array {
  const head = [uint64be(BigInt(timestamp)), uint64be(BigInt(size)), rootHash]
  return concatBytes(Uint8Array.of(VERSION, SIGNATURE_TYPE_TREE_HASH), ...head)
}

/** The key id of a CT log's checkpoint signatures. */
export function treeHeadKeyId(origin: string, key: PublicKey): Uint8Array {
  return keyIdOf(noteKeyHash(origin, Uint8Array.of(NOTE_KEY_TYPES.treeHead), key.id))
}

/** Checkpoints whose signature line is a signed tree head. */
export function treeHeadCheckpoints(options: {
  readonly origin: string
  readonly key: PrivateKey
  readonly clock: Clock
}): CheckpointPort {
  const { origin, key, clock } = options
  const keyId = treeHeadKeyId(origin, key.publicKey)
  return {
    async sign({ size, rootHash, time }) {
      const timestamp = Math.max(clock(), time)
      const signed = await signTreeHead({ size, rootHash, timestamp }, key)
      const signature = concatBytes(uint64be(BigInt(timestamp)), signed)
      const text = formatCheckpoint({ origin, size: BigInt(size), rootHash, extensions: [] })
      return encodeUtf8(formatNote(text, [{ name: origin, keyId, signature }]))
    },
    async open(bytes) {
      const head = await openNote(bytes, { origin, key, keyId })
      if (head !== undefined) return head
      throw new TlogError('TLOG_CHECKPOINT_FOREIGN', 'the checkpoint in this directory was not signed by this log', {
        expected: `a tree head of ${origin} by the key of this log`,
        hint: 'use the key and the name with which the log was begun, or another directory',
      })
    },
  }
}

async function openNote(
  bytes: Uint8Array,
  { origin, key, keyId }: { readonly origin: string; readonly key: PrivateKey; readonly keyId: Uint8Array },
): Promise<TreeHead | undefined> {
  try {
    const { checkpoint, note } = parseSignedCheckpoint(decodeUtf8(bytes))
    const line = note.signatures.find((one) => one.name === origin && equalBytes(one.keyId, keyId))
    if (checkpoint.origin !== origin || line === undefined) return undefined
    const timestamp = Number(new ByteReader(line.signature).u64())
    const head: TreeHead = { size: Number(checkpoint.size), rootHash: checkpoint.rootHash, timestamp }
    return (await isTreeHeadSignature(head, line.signature.subarray(8), key)) ? head : undefined
  } catch (error) {
    if (isCodedError(error)) return undefined
    throw error
  }
}
