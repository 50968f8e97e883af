/** A key pair as three values of a forge, which takes them one by one: all are stored, or what was there stays. @module */
import type { KeyPart, StoredKeyPair } from './key-store.js'

/** What the three are called, as in the original. */
export const NAMES: Readonly<Record<KeyPart, string>> = {
  password: 'COSIGN_PASSWORD',
  sealed: 'COSIGN_PRIVATE_KEY',
  publicKey: 'COSIGN_PUBLIC_KEY',
}
/** In the order in which they are written. */
export const PARTS: readonly KeyPart[] = ['password', 'sealed', 'publicKey']

export interface ValueStore<Before> {
  /** What is there under a name now; given to `restore` if a later one cannot be written. */
  before(name: string): Promise<Before>
  write(name: string, value: Uint8Array): Promise<void>
  /** As well as it can be done. */
  restore(name: string, before: Before): Promise<void>
}

/** @throws what the write threw that failed, after the others were taken back */
export async function writeThree<Before>(store: ValueStore<Before>, pair: StoredKeyPair): Promise<void> {
  const before = new Map<string, Before>()
  for (const part of PARTS) before.set(NAMES[part], await store.before(NAMES[part]))
  const begun: string[] = []
  try {
    for (const part of PARTS) {
      begun.push(NAMES[part])
      await store.write(NAMES[part], pair[part])
    }
  } catch (error) {
    const outcomes = await Promise.allSettled(begun.map((name) => store.restore(name, before.get(name) as Before)))
    const left = begun.filter((_, index) => outcomes[index]?.status === 'rejected')
    if (left.length > 0 && error instanceof Error) error.message += `; ${left.join(', ')} could not be put back`
    throw error
  }
}
