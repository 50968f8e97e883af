/** How much is in memory at a time: large attestations one after the other, small ones as they come. @module */
import type { BlobGetter } from '#images/find'
import { ExamineError } from './examine-error.js'

/** Beyond this, only one at a time: parsed and verified, an attestation takes some ten times its size. */
const LARGE = 4 * 1024 * 1024
/** Of all blobs of one place together: one attestation of the largest size that is read, and then some. */
const MAX_AT_ONCE = 256 * 1024 * 1024

export interface FetchGate {
  /** Runs work that fetches blobs; what it fetched is let go of when it is over. */
  run<T>(blobs: BlobGetter, work: (blobs: BlobGetter) => Promise<T>): Promise<T>
}

interface Turn {
  before: Promise<unknown> | undefined
  end: () => void
}

export function createFetchGate(): FetchGate {
  let busy: Promise<unknown> = Promise.resolve()
  return {
    run: async (blobs, work) => {
      let fetched = 0
      const turn: Turn = { before: undefined, end: () => undefined }
      const waitForTurn = async (): Promise<void> => {
        // Its own turn is never waited for twice: that would be for ever.
        if (turn.before === undefined) {
          turn.before = busy
          busy = new Promise<void>((resolve) => {
            turn.end = resolve
          })
        }
        await turn.before
      }
      try {
        return await work(async (repository, descriptor) => {
          fetched += descriptor.size
          if (fetched > MAX_AT_ONCE) {
            throw new ExamineError('EXAMINE_FETCH_LIMIT', 'too much is attached in one place', {
              expected: `at most ${String(MAX_AT_ONCE)} bytes`,
              found: `${String(fetched)} bytes`,
            })
          }
          if (fetched > LARGE) await waitForTurn()
          return await blobs(repository, descriptor)
        })
      } finally {
        turn.end()
      }
    },
  }
}
