/** What a Rekor's error statuses mean, for both versions. @module */
import type { FetchResponse } from '../http/fetch.js'
import { readReason } from '../http/reason.js'
import { isUnavailable } from '../http/service.js'
import { RekorError, type RekorErrorCode } from './rekor-error.js'

interface Meaning {
  readonly code: RekorErrorCode
  readonly says: string
  readonly hint: string
}

const MEANINGS: ReadonlyMap<number, Meaning> = new Map<number, Meaning>([
  [
    404,
    {
      code: 'REKOR_NOT_FOUND',
      says: 'has no such entry',
      hint: 'Check the index or UUID, and that this is the right log.',
    },
  ],
  [
    405,
    {
      code: 'REKOR_FROZEN',
      says: 'takes no more entries',
      hint: 'The log is frozen: refresh the signing configuration (countersign initialize), which names its successor.',
    },
  ],
  [
    413,
    {
      code: 'REKOR_TOO_LARGE',
      says: 'refuses the entry as too large',
      hint: 'Attest a digest of the content instead of the content, or use a log that stores only digests (Rekor v2).',
    },
  ],
])

const UNAVAILABLE: Meaning = {
  code: 'REKOR_UNAVAILABLE',
  says: 'could not do its work',
  hint: 'Try again later; an entry that did get in is found again, not logged twice.',
}
const REFUSED: Meaning = {
  code: 'REKOR_REFUSED',
  says: 'refuses the entry',
  hint: 'The reason above is the log’s own.',
}

/** Reads an error answer of the log at `host`. */
export async function rekorRefusal(response: FetchResponse, host: string): Promise<RekorError> {
  const { code, says, hint } = MEANINGS.get(response.status) ?? (isUnavailable(response) ? UNAVAILABLE : REFUSED)
  return new RekorError(code, `${host} ${says}`, { found: await readReason(response), hint })
}
