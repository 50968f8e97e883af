/** The trusted root of a TrustRoot: its own keys, or what its TUF repository says after a full update. @module */
import type { Fetch } from '#clients/http/fetch'
import { openTufClient } from '#clients/tuf/client'
import { memoryTufStore } from '#clients/tuf/store'
import { isCodedError } from '#errors'
import { parseTrustedRoot } from '#formats/trusted-root/parse'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Clock } from '#time'
import { PolicyError } from '../internal/policy-error.js'
import { readPackedFiles } from './packed-files.js'
import type { TrustRootDocument } from './trust-root.js'

export interface TrustRootPorts {
  readonly fetch: Fetch
  readonly clock: Clock
}

/** Nobody's address: only the files of the archive are behind it. */
const PACKED_MIRROR = 'https://repository.invalid'

/**
 * Loads a trusted root. An expired repository is refused, also a packed one: its keys may have been withdrawn since.
 * @throws PolicyError `POLICY_TRUST_ROOT`
 */
export async function loadTrustRoot({ name, source }: TrustRootDocument, ports: TrustRootPorts): Promise<TrustedRoot> {
  if (source.kind === 'keys') return source.root
  try {
    const packed = source.kind === 'repository'
    const client = await openTufClient({
      mirror: packed ? PACKED_MIRROR : source.mirror,
      root: source.root,
      fetch: packed ? packedFetch(source.archive) : ports.fetch,
      clock: ports.clock,
      store: memoryTufStore(),
      maxAge: 0,
    })
    return parseTrustedRoot(await client.target(source.target))
  } catch (error) {
    if (!isCodedError(error)) throw error
    throw new PolicyError('POLICY_TRUST_ROOT', `the trust root ${name} cannot be had: ${error.message}`, {
      expected: error.expected,
      found: error.found,
      hint: error.hint,
      cause: error,
    })
  }
}

function packedFetch(archive: Uint8Array): Fetch {
  const files = readPackedFiles(archive)
  const timestamp =
    [...files.keys()].find((path) => path === 'timestamp.json' || path.endsWith('/timestamp.json')) ?? ''
  const base = timestamp.slice(0, timestamp.length - 'timestamp.json'.length)
  return (url) => {
    const path = decodeURIComponent(new URL(url).pathname).slice(1)
    const content = files.get(base + path)
    return Promise.resolve(content === undefined ? new Response(null, { status: 404 }) : new Response(content.slice()))
  }
}
