/** Timestamped cosignatures of witnesses, Ed25519 (C2SP tlog-cosignature v1). @module */
import { concatBytes, uint64be } from '#encoding/bytes'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { ALGORITHMS } from '#crypto/algorithms'
import type { PrivateKey } from '#crypto/private-key'
import type { PublicKey } from '#crypto/public-key'
import { verifySignature } from '#crypto/verify'
import type { Clock, UnixMillis } from '#time'
import { NOTE_KEY_TYPES, keyIdOf, noteKeyHash, rawEd25519 } from '../note/key.js'
import type { NoteSigner } from '../note/sign.js'
import type { NoteVerifier } from '../note/verify.js'
import { CheckpointError } from './checkpoint-error.js'

const TIMESTAMP_SIZE = 8
const MAX_SECONDS = 2n ** 63n

/** The key id of a cosigner. @throws CheckpointError `CHECKPOINT_COSIGNATURE` for a key that is not Ed25519 */
export function cosignatureKeyId(name: string, key: PublicKey): Uint8Array {
  const raw = rawEd25519(key)
  if (raw !== undefined) return keyIdOf(noteKeyHash(name, Uint8Array.of(NOTE_KEY_TYPES.cosignature), raw))
  throw new CheckpointError('CHECKPOINT_COSIGNATURE', 'only Ed25519 keys cosign checkpoints', {
    expected: 'an Ed25519 key',
    found: key.keyType,
  })
}

/** A verifier for the cosignatures of a witness. */
export function cosignatureVerifier(name: string, key: PublicKey): NoteVerifier {
  return {
    name,
    keyId: cosignatureKeyId(name, key),
    async verify(text, signature) {
      if (signature.length <= TIMESTAMP_SIZE) return false
      const seconds = secondsOf(signature)
      if (seconds >= MAX_SECONDS) return false
      const check = { key, scheme: ALGORITHMS.ed25519, signature: signature.subarray(TIMESTAMP_SIZE) }
      return verifySignature(check, signedMessage(text, seconds))
    },
  }
}

/** A witness's signer; the time of the signature is the clock's. */
export function cosigner({ name, key, clock }: { name: string; key: PrivateKey; clock: Clock }): NoteSigner {
  return {
    name,
    keyId: cosignatureKeyId(name, key.publicKey),
    async sign(text) {
      const seconds = BigInt(Math.floor(clock() / 1000))
      return concatBytes(uint64be(seconds), await key.sign(signedMessage(text, seconds)))
    },
  }
}

/** When a witness says it signed; meaningful only in a verified cosignature. */
export function cosignatureTime(signature: Uint8Array): UnixMillis {
  if (signature.length <= TIMESTAMP_SIZE) {
    throw new CheckpointError('CHECKPOINT_COSIGNATURE', 'the cosignature is too short', {
      expected: `more than ${String(TIMESTAMP_SIZE)} bytes`,
      found: `${String(signature.length)} bytes`,
    })
  }
  return Number(secondsOf(signature)) * 1000
}

function secondsOf(signature: Uint8Array): bigint {
  return new DataView(signature.buffer, signature.byteOffset, TIMESTAMP_SIZE).getBigUint64(0)
}

function signedMessage(text: Uint8Array, seconds: bigint): Uint8Array {
  return encodeUtf8(`cosignature/v1\ntime ${String(seconds)}\n${decodeUtf8(text)}`)
}
