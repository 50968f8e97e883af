/** Checkpoints as signed notes (C2SP tlog-checkpoint) with one key of the log's own. @module */
import type { PrivateKey } from '#crypto/private-key'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { formatCheckpoint, parseSignedCheckpoint } from '#formats/checkpoint/checkpoint'
import type { SignedCheckpoint } from '#formats/checkpoint/checkpoint'
import type { KeyIdRule } from '#formats/note/key'
import { noteSignerForKey, signNote } from '#formats/note/sign'
import { noteVerifierForKey, verifyNote } from '#formats/note/verify'
import { TlogError } from './errors.js'
import type { CheckpointPort } from './rules.js'

/** Who signs, and for which log. */
export interface NoteCheckpointOptions {
  /** The first line of the checkpoint, which names the log. */
  readonly origin: string
  /** The name on the signature line. Default: the origin. Rekor v1 has its host name here. */
  readonly name?: string
  readonly key: PrivateKey
  readonly rule: KeyIdRule
}

/** Signs checkpoints, and only goes on from one that was signed by the same key under the same origin. */
export function noteCheckpoints({ origin, name = origin, key, rule }: NoteCheckpointOptions): CheckpointPort {
  const signer = noteSignerForKey({ name, key, rule })
  const verifier = noteVerifierForKey({ name, key: key.publicKey, rule })
  return {
    async sign({ size, rootHash }) {
      return encodeUtf8(
        await signNote(formatCheckpoint({ origin, size: BigInt(size), rootHash, extensions: [] }), [signer]),
      )
    },
    async open(bytes) {
      try {
        const { checkpoint, note } = parseSignedCheckpoint(decodeUtf8(bytes))
        if (checkpoint.origin !== origin) throw foreign(origin, checkpoint)
        await verifyNote(note, [verifier])
        return { size: Number(checkpoint.size), rootHash: checkpoint.rootHash }
      } catch (error) {
        if (!isCodedError(error) || error instanceof TlogError) throw error
        throw new TlogError('TLOG_CHECKPOINT_FOREIGN', 'the checkpoint in this directory was not signed by this log', {
          expected: `a signature of ${name} by the key of this log`,
          found: error.code,
          hint: 'use the key and the name with which the log was begun, or another directory',
          cause: error,
        })
      }
    },
  }
}

function foreign(origin: string, checkpoint: SignedCheckpoint['checkpoint']): TlogError {
  return new TlogError('TLOG_CHECKPOINT_FOREIGN', 'the directory belongs to another log', {
    expected: origin,
    found: checkpoint.origin,
    hint: 'use the name with which the log was begun, or another directory',
  })
}
