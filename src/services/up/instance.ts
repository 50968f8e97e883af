/** What makes an instance the same one after a restart: its id, its birth, its keys. @module */
import type { RandomSource } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import { parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { formatRfc3339, parseRfc3339 } from '#time'
import type { UnixMillis } from '#time'
import type { DataFiles } from './data-files.js'
import { UpError } from './errors.js'

/** The content of `instance.json`. */
export interface Instance {
  /** 16 hexadecimal digits. */
  readonly id: string
  /**
   * The host name of the first start. The logs carry it in their checkpoints, and Go clients compare it with the log's
   * address in the trusted root, so it stays when the instance moves.
   */
  readonly hostname: string
  readonly created: UnixMillis
  /** Rekor v1's tree id: 63 random bits, not zero. */
  readonly treeId: bigint
  /** SHA-256 of each key's SubjectPublicKeyInfo, hexadecimal, by the key's name. Grows, never changes. */
  readonly keys: Readonly<Record<string, string>>
}

const FILE = 'instance.json'
const FORMAT = 1

/** What a new instance begins with. */
export interface NewInstance {
  readonly random: RandomSource
  readonly now: UnixMillis
  readonly hostname: string
}

/**
 * Reads the description, or makes and stores a new one. It is written before any key: a crash during the first start
 * leaves an instance with the keys it got so far, and the next start goes on from there.
 * @throws UpError UP_DATA_FORMAT
 */
export async function openInstance(files: DataFiles, { random, now, hostname }: NewInstance): Promise<Instance> {
  const stored = await files.read(FILE)
  if (stored !== undefined) return parseInstance(stored)
  const treeBytes = random(8)
  const treeId =
    BigInt.asUintN(
      63,
      treeBytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n),
    ) | 1n
  const instance: Instance = { id: encodeHex(random(8)), hostname, created: now - (now % 1000), treeId, keys: {} }
  await storeInstance(files, instance)
  return instance
}

/** Reads the description of an instance that must be there. @throws UpError UP_NO_INSTANCE, UP_DATA_FORMAT */
export async function readInstance(files: DataFiles): Promise<Instance> {
  const stored = await files.read(FILE)
  if (stored !== undefined) return parseInstance(stored)
  throw new UpError('UP_NO_INSTANCE', 'there is no private Sigstore in this directory', {
    hint: 'make one with: countersign up --data DIR',
  })
}

/** Stores the description, durably. */
export async function storeInstance(files: DataFiles, instance: Instance): Promise<void> {
  const { id, hostname, created, treeId, keys } = instance
  const document = { format: FORMAT, id, hostname, created: formatRfc3339(created), treeId: treeId.toString(), keys }
  await files.write(FILE, `${JSON.stringify(document, undefined, 2)}\n`)
}

function parseInstance(content: Uint8Array): Instance {
  try {
    const value = parseJson(content)
    const { format, id, hostname, created, treeId, keys } = object(value)
    if (format !== FORMAT) throw damaged(`format ${JSON.stringify(format ?? null)}`)
    if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) throw damaged('a malformed id')
    if (typeof hostname !== 'string' || !/^[\w.:[\]-]{1,255}$/.test(hostname)) throw damaged('a malformed host name')
    if (typeof created !== 'string' || typeof treeId !== 'string' || !/^[1-9]\d{0,18}$/.test(treeId))
      throw damaged('a missing field')
    const fingerprints = Object.entries(object(keys)).map(([name, hex]) => {
      if (typeof hex !== 'string' || !/^[0-9a-f]{64}$/.test(hex))
        throw damaged(`a malformed fingerprint of the key ${name.slice(0, 40)}`)
      return [name, hex] as const
    })
    return {
      id,
      hostname,
      created: parseRfc3339(created),
      treeId: BigInt(treeId),
      keys: Object.fromEntries(fingerprints),
    }
  } catch (cause) {
    if (cause instanceof UpError) throw cause
    throw damaged('something else', cause)
  }
}

function object(value: JsonValue | undefined): Readonly<Record<string, JsonValue>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, JsonValue>>
  throw damaged('no object')
}

function damaged(found: string, cause?: unknown): UpError {
  return new UpError('UP_DATA_FORMAT', `${FILE} is not a description that this version knows`, {
    expected: `format ${String(FORMAT)}`,
    found,
    hint: 'restore it from a backup, or use another data directory',
    cause,
  })
}
