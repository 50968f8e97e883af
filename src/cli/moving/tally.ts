/** What has been moved so far, for the line that moves and for the summary. @module */
import type { Transfer } from '#images/transfer'

/** Counts. */
export interface Tally extends Transfer {
  /** `12 of 40 blobs, 1.2 GB`. */
  readonly line: () => string
  /** Bytes of all blobs, and those of them that had to be moved. */
  readonly bytes: () => { readonly total: number; readonly transferred: number }
}

export function createTally(): Tally {
  let blobs = 0
  let done = 0
  let total = 0
  let flowed = 0
  let transferred = 0
  return {
    expect: (all) => {
      blobs = all.length
      total = all.reduce((sum, { descriptor: { size } }) => sum + size, 0)
    },
    moved: (bytes) => {
      flowed += bytes
    },
    arrived: ({ size }) => {
      done++
      transferred += size
    },
    present: () => {
      done++
    },
    line: () => `${String(done)} of ${String(blobs)} blobs, ${bytesText(flowed)}`,
    bytes: () => ({ total, transferred }),
  }
}

const UNITS = ['kB', 'MB', 'GB', 'TB'] as const

/** `17 bytes`, `1.2 GB`: powers of ten, as registries and disks count. */
export function bytesText(bytes: number): string {
  if (bytes < 1000) return `${String(bytes)} bytes`
  let value = bytes
  let unit: string = UNITS[0]
  for (const next of UNITS) {
    value /= 1000
    unit = next
    if (value < 999.5) break
  }
  return `${value < 9.95 ? value.toFixed(1) : value.toFixed(0)} ${unit}`
}
