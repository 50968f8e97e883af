/** A multimap from 8-byte fingerprints to entry indexes on typed arrays: some 40 bytes a key, no object a key. @module */

const INITIAL_SLOTS = 1024
const INITIAL_RECORDS = 512

/** Fingerprints to indexes; grows, never shrinks. */
export class KeyIndex {
  // Open addressing with linear probing. A slot holds a fingerprint and the number (from 1) of its newest record.
  #high = new Uint32Array(INITIAL_SLOTS)
  #low = new Uint32Array(INITIAL_SLOTS)
  #head = new Uint32Array(INITIAL_SLOTS)
  #used = 0
  // Records of one fingerprint are chained, so that a key that a million entries share costs no more than a million.
  #index = new Float64Array(INITIAL_RECORDS)
  #next = new Uint32Array(INITIAL_RECORDS)
  #records = 0

  /** How many pairs were added. */
  get size(): number {
    return this.#records
  }

  /** Adds a pair; the first 8 bytes of the key count. */
  add(key: Uint8Array, index: number): void {
    const [high, low] = fingerprint(key)
    this.insert(high, low, index)
  }

  /** Adds a pair whose fingerprint is known as two 32-bit numbers. */
  insert(high: number, low: number, index: number): void {
    if (this.#records === this.#index.length) this.#growRecords()
    if (2 * this.#used >= this.#head.length) this.#growSlots()
    const slot = this.#slotOf(high, low)
    if (this.#head[slot] === 0) {
      this.#used++
      this.#high[slot] = high
      this.#low[slot] = low
    }
    this.#index[this.#records] = index
    this.#next[this.#records] = this.#head[slot] ?? 0
    this.#records++
    this.#head[slot] = this.#records
  }

  /** Indexes under the key's fingerprint in the order in which they were added. */
  find(key: Uint8Array): number[] {
    const [high, low] = fingerprint(key)
    const found: number[] = []
    for (let record = this.#head[this.#slotOf(high, low)] ?? 0; record !== 0; record = this.#next[record - 1] ?? 0) {
      found.push(this.#index[record - 1] ?? 0)
    }
    return found.reverse()
  }

  /** The slot of the fingerprint, or the empty one where it belongs. Ends because the table is never more than half full. */
  #slotOf(high: number, low: number): number {
    const mask = this.#head.length - 1
    let slot = low & mask
    while (this.#head[slot] !== 0 && (this.#low[slot] !== low || this.#high[slot] !== high)) slot = (slot + 1) & mask
    return slot
  }

  #growRecords(): void {
    const [index, next] = [this.#index, this.#next]
    this.#index = new Float64Array(index.length * 2)
    this.#next = new Uint32Array(next.length * 2)
    this.#index.set(index)
    this.#next.set(next)
  }

  #growSlots(): void {
    const [highs, lows, heads] = [this.#high, this.#low, this.#head]
    this.#high = new Uint32Array(heads.length * 2)
    this.#low = new Uint32Array(heads.length * 2)
    this.#head = new Uint32Array(heads.length * 2)
    for (const [i, head] of heads.entries()) {
      if (head === 0) continue
      const [high, low] = [highs[i] ?? 0, lows[i] ?? 0]
      const slot = this.#slotOf(high, low)
      this.#high[slot] = high
      this.#low[slot] = low
      this.#head[slot] = head
    }
  }
}

function uint32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

/** The first 8 bytes as two big-endian numbers. */
export function fingerprint(key: Uint8Array): readonly [high: number, low: number] {
  return [uint32(key, 0), uint32(key, 4)]
}
