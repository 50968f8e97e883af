/** Blob uploads in progress: bytes are hashed as they come, and become a blob only under the digest they really have. @module */
import { createDigest } from '#crypto/digest'
import type { RunningDigest } from '#crypto/digest'
import type { RandomSource } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import type { Clock, UnixMillis } from '#time'
import { ImageStoreError } from './errors.js'
import type { Digest } from './names.js'
import type { RegistryStorage, Upload } from './storage.js'

export interface UploadLimits {
  /** Largest blob in bytes. */
  readonly maxBlobBytes: number
  /** Sessions open at once; more are IMAGE_STORE_UPLOADS_FULL. */
  readonly maxSessions: number
  /** A session that nobody touched for this long (milliseconds) is dropped. */
  readonly idleMillis: number
}

export const DEFAULT_UPLOAD_LIMITS: UploadLimits = {
  maxBlobBytes: 32 * 2 ** 30,
  maxSessions: 1000,
  idleMillis: 3_600_000,
}

/** One upload as the routes see it. */
export interface UploadSession {
  readonly id: string
  readonly name: string
  readonly size: number
}

interface Session {
  readonly id: string
  readonly name: string
  readonly upload: Upload
  /** Of everything appended so far; sha256 is what practically everybody asks for at the end. */
  readonly running: RunningDigest
  size: number
  busy: boolean
  touched: UnixMillis
}

export interface Uploads {
  /** @throws ImageStoreError IMAGE_STORE_UPLOADS_FULL */
  begin(name: string): Promise<UploadSession>
  /** @throws ImageStoreError IMAGE_STORE_UPLOAD_UNKNOWN */
  find(name: string, id: string): UploadSession
  /**
   * Appends what arrives. `start`: where the sender thinks it is.
   * @throws ImageStoreError IMAGE_STORE_UPLOAD_UNKNOWN, IMAGE_STORE_UPLOAD_BUSY, IMAGE_STORE_UPLOAD_RANGE, IMAGE_STORE_BLOB_TOO_LARGE
   */
  append(name: string, id: string, chunks: AsyncIterable<Uint8Array>, start?: number): Promise<UploadSession>
  /**
   * Makes the session a blob.
   * @throws ImageStoreError as `append`, and IMAGE_STORE_DIGEST_MISMATCH; the session is gone then.
   */
  finish(name: string, id: string, digest: Digest): Promise<void>
  /** @throws ImageStoreError IMAGE_STORE_UPLOAD_UNKNOWN, IMAGE_STORE_UPLOAD_BUSY */
  cancel(name: string, id: string): Promise<void>
}

export interface UploadsOptions {
  readonly storage: RegistryStorage
  readonly clock: Clock
  readonly random: RandomSource
  readonly limits: UploadLimits
}

export function createUploads({ storage, clock, random, limits }: UploadsOptions): Uploads {
  const sessions = new Map<string, Session>()

  async function begin(name: string): Promise<Session> {
    await dropIdle()
    if (sessions.size >= limits.maxSessions)
      throw new ImageStoreError('IMAGE_STORE_UPLOADS_FULL', 'too many uploads are open')
    const upload = await storage.beginUpload(name)
    const id = encodeHex(random(16))
    const session: Session = {
      id,
      name,
      upload,
      running: createDigest('sha256'),
      size: 0,
      busy: false,
      touched: clock(),
    }
    sessions.set(id, session)
    return session
  }

  async function dropIdle(): Promise<void> {
    const before = clock() - limits.idleMillis
    const idle = [...sessions.values()].filter((session) => !session.busy && session.touched < before)
    await Promise.all(idle.map(drop))
  }

  async function drop(session: Session): Promise<void> {
    sessions.delete(session.id)
    await session.upload.discard()
  }

  function find(name: string, id: string): Session {
    const session = sessions.get(id)
    if (session?.name === name) return session
    throw new ImageStoreError('IMAGE_STORE_UPLOAD_UNKNOWN', 'no such upload', {
      hint: 'begin it again: uploads do not outlive a restart',
    })
  }

  /** Two requests that append to one session would mix their bytes. */
  async function exclusively<T>(name: string, id: string, run: (session: Session) => Promise<T>): Promise<T> {
    const session = find(name, id)
    if (session.busy) throw new ImageStoreError('IMAGE_STORE_UPLOAD_BUSY', 'another request is writing to this upload')
    session.busy = true
    try {
      return await run(session)
    } finally {
      session.busy = false
      session.touched = clock()
    }
  }

  async function take(session: Session, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of chunks) {
      if (session.size + chunk.length > limits.maxBlobBytes) {
        await drop(session)
        throw new ImageStoreError('IMAGE_STORE_BLOB_TOO_LARGE', 'the blob is too large', {
          expected: `at most ${String(limits.maxBlobBytes)} bytes`,
        })
      }
      session.running.update(chunk)
      session.size += chunk.length
      await session.upload.append(chunk)
    }
  }

  return {
    begin,
    find,
    append: (name, id, chunks, start) =>
      exclusively(name, id, async (session) => {
        if (start !== undefined && start !== session.size) {
          throw new ImageStoreError('IMAGE_STORE_UPLOAD_RANGE', 'the chunk does not follow the last one', {
            expected: `a range that starts at ${String(session.size)}`,
            found: String(start),
          })
        }
        await take(session, chunks)
        return session
      }),
    finish: (name, id, digest) =>
      exclusively(name, id, async (session) => {
        try {
          const found = await contentDigest(session, digest)
          if (found !== digest.hex) {
            throw new ImageStoreError('IMAGE_STORE_DIGEST_MISMATCH', 'the content has another digest', {
              expected: digest.text,
              found: `${digest.algorithm}:${found}`,
            })
          }
          await session.upload.commit(digest)
        } finally {
          await drop(session)
        }
      }),
    cancel: (name, id) => exclusively(name, id, drop),
  }
}

async function contentDigest(session: Session, { algorithm }: Digest): Promise<string> {
  if (algorithm === 'sha256') return encodeHex(session.running.digest())
  const running = createDigest(algorithm)
  for await (const chunk of session.upload.read()) running.update(chunk)
  return encodeHex(running.digest())
}
