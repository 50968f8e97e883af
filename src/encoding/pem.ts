/** PEM text (RFC 7468). @module */
import { decodeBase64, encodeBase64 } from './base64.js'
import { EncodingError } from './encoding-error.js'

/** One block between its BEGIN and END lines. */
export interface PemBlock {
  readonly label: string
  readonly bytes: Uint8Array
}

const BLOCK = /-----BEGIN ([^\r\n]*?)-----[ \t]*\r?\n([^-]*)-----END ([^\r\n]*?)-----/g

/**
 * Every block of a text, in order. Text around the blocks is allowed (RFC 7468 §2), headers inside them are not.
 * @throws {@link EncodingError} PEM_MALFORMED if there is no block, labels differ, or a body is not base64.
 */
export function parsePem(text: string): readonly PemBlock[] {
  const blocks: PemBlock[] = []
  for (const [, label = '', body = '', endLabel = ''] of text.matchAll(BLOCK)) {
    if (label !== endLabel) {
      throw new EncodingError('PEM_MALFORMED', 'a PEM block ends with another label', {
        expected: label,
        found: endLabel,
      })
    }
    blocks.push({ label, bytes: decodeBody(label, body) })
  }
  if (blocks.length !== (text.match(/-----BEGIN /g) ?? []).length || blocks.length === 0) {
    throw new EncodingError('PEM_MALFORMED', 'the text holds no whole PEM block', {
      expected: 'lines from -----BEGIN …----- to -----END …-----',
    })
  }
  return blocks
}

/** A block with lines of 64 characters and a line feed at its end. */
export function encodePem(label: string, bytes: Uint8Array): string {
  const lines = encodeBase64(bytes).match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

function decodeBody(label: string, body: string): Uint8Array {
  const base64 = body.replace(/\s+/g, '')
  try {
    return decodeBase64(base64)
  } catch (cause) {
    throw new EncodingError('PEM_MALFORMED', `the body of a PEM block is not base64`, {
      found: `a block ${label}`,
      cause,
    })
  }
}
