/** A TUF repository as a client sees it: files below an address or a directory. @module */
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isCodedError } from '#errors'
import { discardBody, readBytes } from '../http/body.js'
import type { Fetch } from '../http/fetch.js'
import { TufClientError } from './tuf-client-error.js'

/** Reads files of a repository. */
export interface Mirror {
  /**
   * @param limit most bytes that are read; a longer file is an error, so that nobody can make a client read forever (§5.3.3)
   * @returns undefined when there is no such file
   * @throws TufClientError `TUF_CLIENT_DOWNLOAD`
   */
  read(path: string, limit: number): Promise<Uint8Array | undefined>
}

/**
 * Opens a mirror: `https://…`, `http://…`, `file:///…` or the path of a directory.
 * @throws TufClientError `TUF_CLIENT_MIRROR` for an address of another kind
 */
export function openMirror(address: string, fetch: Fetch): Mirror {
  const base = address.replace(/\/+$/, '')
  if (/^https?:\/\//i.test(address)) return httpMirror(base, fetch)
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(address)?.[1]
  if (scheme === undefined) return directoryMirror(address)
  if (scheme.toLowerCase() === 'file' && URL.canParse(address)) return directoryMirror(fileURLToPath(address))
  throw new TufClientError('TUF_CLIENT_MIRROR', 'the TUF mirror has an address of an unknown kind', {
    expected: 'http://, https://, file:// or a directory',
    found: address.slice(0, 200),
  })
}

function httpMirror(base: string, fetch: Fetch): Mirror {
  return {
    async read(path, limit) {
      const url = `${base}/${path.split('/').map(encodeURIComponent).join('/')}`
      try {
        const response = await fetch(url)
        if (response.status === 200) return await readBytes(response, { limit, what: url })
        await discardBody(response)
        // Object stores without permission to list answer 403 for what is not there.
        if (response.status === 404 || response.status === 403) return undefined
        throw new TufClientError('TUF_CLIENT_DOWNLOAD', `the TUF mirror does not give ${url}`, {
          expected: 'status 200',
          found: `status ${String(response.status)}`,
        })
      } catch (cause) {
        if (!isCodedError(cause) || cause instanceof TufClientError) throw cause
        throw failed(url, cause.message, cause)
      }
    },
  }
}

function directoryMirror(directory: string): Mirror {
  return {
    async read(path, limit) {
      // Names of targets come from metadata: they may not lead out of the repository.
      if (path.split('/').includes('..')) throw failed(path, 'a path that leads out of the repository')
      try {
        return await readUpTo(join(directory, path), limit)
      } catch (cause) {
        if (cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR'))
          return undefined
        if (cause instanceof TufClientError) throw cause
        throw failed(path, 'an error of the file system', cause)
      }
    },
  }
}

async function readUpTo(path: string, limit: number): Promise<Uint8Array> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    if (size > limit) throw failed(path, `${String(size)} bytes, more than the ${String(limit)} that are allowed`)
    return new Uint8Array(await file.readFile())
  } finally {
    await file.close()
  }
}

function failed(what: string, found: string, cause?: unknown): TufClientError {
  return new TufClientError('TUF_CLIENT_DOWNLOAD', `the TUF mirror could not be read: ${what.slice(0, 300)}`, {
    found,
    hint: 'check the address and the network, or work with --trusted-root',
    cause,
  })
}
