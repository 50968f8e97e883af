/** Inputs that a command line names: files, standard input, addresses. @module */
import { concatBytes } from '#encoding/bytes'
import { decodeUtf8 } from '#encoding/utf8'
import { readBytes } from '#clients/http/body'
import { redactUrl } from '#clients/http/trace'
import { isCodedError } from '#errors'
import { CliError } from './kit/errors.js'
import type { Host } from './kit/host.js'

/** A whole stream. */
export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of stream) parts.push(part)
  return concatBytes(...parts)
}

/** A file, or standard input for `-`. */
export async function readFileOrStdin(host: Host, path: string): Promise<Uint8Array> {
  return path === '-' ? await readAll(host.terminal.stdin) : await host.files.read(path)
}

/** The same in pieces. */
export function streamFileOrStdin(host: Host, path: string): AsyncIterable<Uint8Array> {
  return path === '-' ? host.terminal.stdin : host.files.stream(path)
}

const FETCH_LIMIT = 64 * 1024 * 1024

/** What is behind an http(s) address. @throws {@link CliError} `CLI_INPUT` unless the answer is 200. */
export async function fetchInput(host: Host, url: string, signal: AbortSignal): Promise<Uint8Array> {
  const fetch = await host.connect()
  const response = await fetch(url, { signal })
  if (response.status === 200) return await readBytes(response, { limit: FETCH_LIMIT, what: url })
  throw new CliError('CLI_INPUT', `loading URL: ${url}`, {
    expected: 'status 200',
    found: `status ${String(response.status)}`,
  })
}

/** A file, or what is behind an http(s) address. */
export async function readFileOrUrl(host: Host, reference: string, signal: AbortSignal): Promise<Uint8Array> {
  return isAddress(reference) ? await fetchInput(host, reference, signal) : await host.files.read(reference)
}

export function isAddress(reference: string): boolean {
  return /^https?:\/\//.test(reference)
}

/**
 * Parses what was read from `name`, so that an error says where the fault is: a command reads many files. Code and detail
 * stay what the parser made them.
 */
export function parseInput<T>(name: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    const shown = isAddress(name) ? redactUrl(name) : name
    if (isCodedError(error) && !error.message.includes(shown)) error.message = `${shown}: ${error.message}`
    throw error
  }
}

/** A file as text. @throws {@link CliError} `CLI_INPUT` if it is not UTF-8. */
export async function readTextFile(host: Host, path: string): Promise<string> {
  return asText(await host.files.read(path), path)
}

/** Bytes as text. @throws {@link CliError} `CLI_INPUT` if they are not UTF-8. */
export function asText(bytes: Uint8Array, what: string): string {
  try {
    return decodeUtf8(bytes)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CliError('CLI_INPUT', `${what} is not text`, { expected: 'UTF-8', cause })
  }
}
