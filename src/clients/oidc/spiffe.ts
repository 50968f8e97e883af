/** SPIFFE's Workload API: a JWT-SVID from the agent on this machine (SPIFFE Workload API, "FetchJWTSVID"). @module */
import { concatBytes } from '#encoding/bytes'
import { encodeUtf8 } from '#encoding/utf8'
import type { Environment } from '../http/proxy.js'
import { OidcError } from './oidc-error.js'
import type { AmbientPorts } from './ports.js'

const DEFAULT_SOCKET = '/tmp/spire-agent/public/api.sock'

/** The agent's socket: SPIFFE_ENDPOINT_SOCKET, a path or a `unix:` address, or SPIRE's default. */
export function spiffeSocket(env: Environment): string {
  const given = env['SPIFFE_ENDPOINT_SOCKET'] ?? ''
  return given === '' ? DEFAULT_SOCKET : given.replace(/^unix:(?:\/\/)?/, '')
}

/** The first SVID for an audience. @throws OidcError OIDC_PROVIDER */
export async function fetchJwtSvid(
  { env, call }: Pick<AmbientPorts, 'env' | 'call'>,
  audience: string,
): Promise<string> {
  const name = encodeUtf8(audience)
  const answer = await call({
    socket: spiffeSocket(env),
    path: '/SpiffeWorkloadAPI/FetchJWTSVID',
    // JWTSVIDRequest { repeated string audience = 1 }
    message: concatBytes(Uint8Array.of(0x0a), varint(name.length), name),
    // Without it the agent refuses, so that no browser can be made to ask (SPIFFE Workload Endpoint §4).
    metadata: { 'workload.spiffe.io': 'true' },
  })
  // JWTSVIDResponse { repeated JWTSVID svids = 1 }, JWTSVID { string spiffe_id = 1; string svid = 2 }
  const svid = field(answer, 1)
  const token = svid === undefined ? undefined : field(svid, 2)
  if (token !== undefined) return new TextDecoder().decode(token)
  throw new OidcError('OIDC_PROVIDER', 'the SPIFFE agent gives no token', {
    expected: 'a registration entry for this process',
    found: 'none',
  })
}

function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  return Uint8Array.of(...bytes, rest)
}

/** The first length-delimited field of that number in a protobuf message. @throws OidcError OIDC_PROVIDER if it is none */
function field(message: Uint8Array, wanted: number): Uint8Array | undefined {
  let offset = 0
  const next = (): number => {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = message[offset++]
      if (byte === undefined) break
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    throw malformed()
  }
  while (offset < message.length) {
    const key = next()
    const type = key & 7
    const size = type === 2 ? next() : (SIZES.get(type) ?? -1)
    if (type === 0) {
      next()
      continue
    }
    if (size < 0 || offset + size > message.length) throw malformed()
    const content = message.subarray(offset, offset + size)
    offset += size
    if (type === 2 && Math.floor(key / 8) === wanted) return content
  }
  return undefined
}

/** Bytes of the fixed wire types; 0 stands for varints, which are read on their own. */
const SIZES: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [1, 8],
  [5, 4],
])

function malformed(): OidcError {
  return new OidcError('OIDC_PROVIDER', 'the SPIFFE agent answers with something that is not understood', {
    expected: 'a JWTSVIDResponse',
  })
}
