/** A single gRPC call over a unix socket, on node's own HTTP/2. @module */
import { concatBytes } from '#encoding/bytes'
import { printable } from '../http/reason.js'
import { OidcError } from './oidc-error.js'
import type { UnaryCall } from './ports.js'

const TIME_LIMIT = 30_000
const MAX_ANSWER = 1024 * 1024
const FRAME_HEADER = 5

/** @throws OidcError OIDC_PROVIDER */
export const grpcOverUnixSocket: UnaryCall = async ({ socket, path, message, metadata, signal }) => {
  const { connect } = await import('node:http2')
  const net = await import('node:net')
  const session = connect('http://localhost', { createConnection: () => net.connect(socket) })
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      session.once('error', (cause) => {
        reject(unreachable(socket, cause))
      })
      const headers = {
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
        ...metadata,
      }
      const stream = session.request(headers, signal === undefined ? {} : { signal })
      const chunks: Buffer[] = []
      let status: Status = { code: undefined, message: '' }
      const note = (fields: Readonly<Record<string, unknown>>): void => {
        if (typeof fields['grpc-status'] === 'string') status = readStatus(fields)
      }
      stream.on('response', note)
      stream.on('trailers', note)
      stream.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (chunks.reduce((sum, each) => sum + each.length, 0) > MAX_ANSWER) stream.close()
      })
      stream.setTimeout(TIME_LIMIT, () => {
        stream.close()
      })
      stream.once('error', (cause) => {
        reject(unreachable(socket, cause))
      })
      stream.once('close', () => {
        resolve({ status, bytes: Buffer.concat(chunks) })
      })
      stream.end(frame(message))
    })
    if (answer.status.code !== '0') throw refused(answer.status)
    return unframe(answer.bytes)
  } finally {
    session.destroy()
  }
}

interface Answer {
  readonly status: Status
  readonly bytes: Uint8Array
}

interface Status {
  readonly code: string | undefined
  readonly message: string
}

function readStatus(fields: Readonly<Record<string, unknown>>): Status {
  const message = fields['grpc-message']
  return { code: String(fields['grpc-status']), message: typeof message === 'string' ? message : '' }
}

/** A message uncompressed: flag, length, bytes (gRPC over HTTP/2, "Length-Prefixed-Message"). */
function frame(message: Uint8Array): Uint8Array {
  const header = new Uint8Array(FRAME_HEADER)
  new DataView(header.buffer).setUint32(1, message.length)
  return concatBytes(header, message)
}

function unframe(bytes: Uint8Array): Uint8Array {
  const length = bytes.length < FRAME_HEADER ? -1 : new DataView(bytes.buffer, bytes.byteOffset).getUint32(1)
  if (bytes[0] === 0 && bytes.length === FRAME_HEADER + length) return bytes.subarray(FRAME_HEADER)
  throw new OidcError('OIDC_PROVIDER', 'the agent’s answer is not one gRPC message')
}

function unreachable(socket: string, cause: unknown): OidcError {
  return new OidcError('OIDC_PROVIDER', `the agent at ${socket} cannot be asked`, {
    hint: 'Check that the agent runs and that this process may open its socket.',
    cause,
  })
}

function refused({ code, message }: Status): OidcError {
  return new OidcError('OIDC_PROVIDER', 'the agent refuses', {
    found: code === undefined ? 'no answer' : `gRPC status ${code}: ${printable(message)}`,
    hint: 'Check that there is a registration entry for this process.',
  })
}
