/** How programs on the same machine find the running instance: a file that only its owner can read. @module */
import { parseJson } from '#encoding/json'
import type { DataFiles } from './data-files.js'
import { UpError } from './errors.js'

/** The content of `run.json`, which is there while an instance runs (and stays behind after a kill). */
export interface RunFile {
  readonly url: string
  /** Where the server really listens; the URL may be that of a proxy before it. */
  readonly origin: string
  readonly issuer: string
  /** Buys tokens at the issuer; new at every start. Undefined if the issuer asks people for passwords. */
  readonly localSecret: string | undefined
}

/** Its name in the data directory. */
export const RUN_FILE = 'run.json'

/** Tells programs on this machine that the instance runs. */
export async function writeRunFile(files: DataFiles, run: RunFile): Promise<void> {
  await files.write(RUN_FILE, `${JSON.stringify(run, undefined, 2)}\n`)
}

/** The instance has stopped. */
export async function removeRunFile(files: DataFiles): Promise<void> {
  await files.remove(RUN_FILE)
}

/** @throws UpError UP_NOT_RUNNING */
export function parseRunFile(content: Uint8Array | undefined): RunFile {
  const value = content === undefined ? undefined : readObject(content)
  const { url, origin, issuer, localSecret } = value ?? {}
  if (typeof url === 'string' && typeof origin === 'string' && typeof issuer === 'string') {
    return { url, origin, issuer, localSecret: typeof localSecret === 'string' ? localSecret : undefined }
  }
  throw new UpError('UP_NOT_RUNNING', 'no private Sigstore runs from this data directory', {
    hint: 'start one with: countersign up',
  })
}

function readObject(content: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = parseJson(content)
    // Safe: neither null nor a list, so an object of JSON values.
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined
  } catch {
    return undefined // half a file is as good as none
  }
}
