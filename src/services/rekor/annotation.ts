/** What this log keeps beside an entry, since its body does not have it: the time, and terms to find it by. @module */
import { ByteReader, concatBytes, uint64be } from '#encoding/bytes'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import type { UnixMillis } from '#time'

export interface Annotation {
  /** When the entry was taken in, in whole seconds as far as the API shows it. */
  readonly integratedTime: UnixMillis
  /** Terms from the payload of an attestation, which is not in the log. */
  readonly terms: readonly string[]
}

/** Most bytes of terms that are kept: an attestation may name a million files. */
const MAX_TERM_BYTES = 32_768

export function encodeAnnotation({ integratedTime, terms }: Annotation): Uint8Array {
  const kept: string[] = []
  let size = 0
  for (const term of terms) {
    size += term.length + 1
    if (size > MAX_TERM_BYTES) break
    kept.push(term)
  }
  return concatBytes(uint64be(BigInt(integratedTime)), encodeUtf8(kept.join('\n')))
}

/** @throws EncodingError if the log did not write it */
export function decodeAnnotation(bytes: Uint8Array): Annotation {
  const reader = new ByteReader(bytes)
  const integratedTime = Number(reader.u64())
  const text = decodeUtf8(reader.take(reader.remaining))
  return { integratedTime, terms: text === '' ? [] : text.split('\n') }
}
