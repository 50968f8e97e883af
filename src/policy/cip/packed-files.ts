/** A gzipped tar file as files in memory: how a TrustRoot carries a whole TUF repository. @module */
import { gunzipSync } from 'node:zlib'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { PolicyError } from '../internal/policy-error.js'

/** A Kubernetes object has at most 3 MiB; so much may come of it, and a gzip bomb no more. */
const MAX_UNPACKED = 32 * 1024 * 1024
const BLOCK = 512
const REGULAR_FILES = new Set(['0', '\0', ''])

/**
 * Path → content of regular files; links and devices are left out.
 * @throws PolicyError `POLICY_TRUST_ROOT`
 */
export function readPackedFiles(archive: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const tar = unzip(archive)
  const files = new Map<string, Uint8Array>()
  let longName: string | undefined
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK)
    if (header.every((byte) => byte === 0)) break
    const size = octal(header.subarray(124, 136))
    const content = tar.subarray(at + BLOCK, at + BLOCK + size)
    if (content.length !== size) throw unreadable('it ends within a file')
    const type = String.fromCharCode(header[156] ?? 0)
    const path = longName ?? shortName(header)
    // Names of more than a hundred bytes, as targets with their digest have, stand in an entry of their own before the file's.
    longName = type === 'x' ? paxPath(content) : type === 'L' ? text(content) : undefined
    if (REGULAR_FILES.has(type)) files.set(path.replace(/^\.\//, ''), content)
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
  }
  return files
}

function shortName(header: Uint8Array): string {
  const [prefix, name] = [text(header.subarray(345, 500)), text(header.subarray(0, 100))]
  return prefix === '' ? name : `${prefix}/${name}`
}

/** The path of an extended header (POSIX.1-2001 pax): lines of `<length> <keyword>=<value>`. */
function paxPath(content: Uint8Array): string | undefined {
  return /^\d+ path=(.*)$/m.exec(text(content))?.[1]
}

function unzip(archive: Uint8Array): Uint8Array {
  try {
    return gunzipSync(archive, { maxOutputLength: MAX_UNPACKED })
  } catch (cause) {
    throw unreadable('it is not a gzip file, or unpacks to too much', cause)
  }
}

function octal(field: Uint8Array): number {
  const digits = text(field).trim()
  if (!/^[0-7]{1,11}$/.test(digits)) throw unreadable('a size in it is none')
  return Number.parseInt(digits, 8)
}

function text(field: Uint8Array): string {
  const end = field.indexOf(0)
  try {
    return decodeUtf8(end < 0 ? field : field.subarray(0, end))
  } catch (error) {
    if (!isCodedError(error)) throw error
    throw unreadable('a name in it is no text', error)
  }
}

function unreadable(why: string, cause?: unknown): PolicyError {
  return new PolicyError('POLICY_TRUST_ROOT', `the packed repository cannot be read: ${why}`, {
    expected: 'a gzipped tar file',
    cause,
  })
}
