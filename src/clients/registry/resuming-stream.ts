/** A download that was cut off goes on where it ended: layers are large, and connections do not live for ever. @module */
import { isCodedError } from '#errors'
import { streamBody } from '../http/body.js'
import type { FetchResponse } from '../http/fetch.js'

/** So many times in a row without a further byte, and the host is given up. */
const FRUITLESS = 3
/** A host that cuts every connection after a few bytes is given up, too. */
const CUTS = 100

/**
 * The body of a response, and of further ones where it was cut off. `open` asks for it from a byte on; a host that sends it from the
 * start all the same (status 200) is put up with. Whether the pieces fit together is for the caller to check.
 * @throws as `open` does, and HttpError
 */
export async function* resumingStream(
  open: (start: number) => Promise<FetchResponse>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let at = 0
  let fruitless = 0
  for (let cuts = 0; ; cuts++) {
    const before = at
    const response = await open(at)
    try {
      for await (const piece of bodyFrom(response, at)) {
        at += piece.length
        yield piece
      }
      return
    } catch (error) {
      fruitless = at > before ? 0 : fruitless + 1
      if (!isCut(error) || fruitless === FRUITLESS || cuts === CUTS) throw error
    }
  }
}

/** Skips what is there already of a body that begins earlier than it was asked to. */
async function* bodyFrom(response: FetchResponse, start: number): AsyncGenerator<Uint8Array, void, undefined> {
  let skip = Math.max(0, start - firstByte(response, start))
  for await (const piece of streamBody(response)) {
    const rest = piece.subarray(Math.min(skip, piece.length))
    skip -= piece.length - rest.length
    if (rest.length > 0) yield rest
  }
}

/** Where the body begins (RFC 9110 §14.4). A host that says nothing, or something untrue, is found out by the digest. */
function firstByte(response: FetchResponse, asked: number): number {
  if (response.status !== 206) return 0
  const stated = /^bytes (\d{1,15})-/.exec(response.headers.get('content-range') ?? '')?.[1]
  return stated === undefined ? asked : Number(stated)
}

const CUT: ReadonlySet<string> = new Set(['HTTP_TRUNCATED', 'HTTP_RESET', 'HTTP_TIMEOUT'])

function isCut(error: unknown): boolean {
  return isCodedError(error) && CUT.has(error.code)
}
