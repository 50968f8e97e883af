/** A registry in memory, a given time away, that counts how many questions follow upon each other. @module */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { BUNDLE_MEDIA_TYPE } from '#formats/bundle/media-type'
import { SIGN_PREDICATE_TYPE } from '#formats/in-toto/image-signature'
import { digestOf } from '#formats/oci/digest'
import { serializeManifest } from '#formats/oci/manifest'
import { MEDIA_TYPES } from '#formats/oci/media-types'
import { buildBundleManifest } from '#images/bundle-manifest'
import type { TestCertificate } from '#testing/pki/certificate'
import type { TestPki } from '#testing/pki/pki'
import { signStatement } from '#testing/pki/signed-entity'

export const SIGNER = 'ci@example.com'
export const ISSUER = 'https://issuer.example.com'

export interface BenchRegistry {
  /** host:port */
  readonly host: string
  /** Added to every answer, in milliseconds. */
  roundTrip: number
  /** Puts an image there that {@link SIGNER} signed; its name with its tag, and its digest. */
  pushSigned(name: string): Promise<PushedImage>
  /** What is asked about an image, step after step. */
  stepsOf(name: string): readonly (readonly string[])[]
  /** Takes a repository away again. */
  drop(name: string): void
  /** Forgets all questions so far. */
  forget(): void
  /** How many there were, and the longest row of them in which each came after the one before was answered. */
  asked(): { readonly questions: number; readonly inARow: number }
  close(): void
}

export interface PushedImage {
  readonly tagged: string
  readonly pinned: string
}

interface Content {
  readonly type: string
  readonly bytes: Uint8Array
  readonly digest: string
}

/** By repository, and then by what comes after its name in a path. */
type Contents = Map<string, Map<string, Content>>

interface Question {
  readonly from: number
  readonly to: number
}

export async function startRegistry(pki: TestPki): Promise<BenchRegistry> {
  const contents: Contents = new Map()
  let questions: Question[] = []
  const server = createServer((request, response) => {
    const from = performance.now()
    const reply = (): void => {
      questions.push({ from, to: performance.now() })
      answer(request, response, contents)
    }
    if (registry.roundTrip === 0) reply()
    else setTimeout(reply, registry.roundTrip)
  })
  server.keepAliveTimeout = 60_000
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const signer = await pki.issueLeaf({
    subjectAltNames: [{ kind: 'email', value: SIGNER }],
    fulcio: { issuer: ISSUER },
  })
  const registry: BenchRegistry = {
    host: `localhost:${String((server.address() as AddressInfo).port)}`,
    roundTrip: 0,
    pushSigned: async (name) => {
      const digest = await putImage({ contents, pki, signer }, name)
      return { tagged: `${registry.host}/${name}:1`, pinned: `${registry.host}/${name}:1@${digest}` }
    },
    stepsOf: (name) => stepsOf(name, contents.get(name) ?? new Map<string, Content>()),
    drop: (name) => {
      contents.delete(name)
    },
    forget: () => (questions = []),
    asked: () => ({ questions: questions.length, inARow: longestRow(questions) }),
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
  return registry
}

/** The list of referrers and the tag that is not there; the referrer; its bundle. */
function stepsOf(name: string, places: ReadonlyMap<string, Content>): readonly (readonly string[])[] {
  const paths = [...places.keys()].map((place) => `/v2/${name}/${place}`)
  const [, , bundle = '', referrer = '', list = ''] = paths
  return [[list, `/v2/${name}/manifests/none.sig`], [referrer], [bundle]]
}

function answer(request: IncomingMessage, response: ServerResponse, contents: Contents): void {
  const path = decodeURIComponent(new URL(request.url ?? '/', 'http://registry').pathname)
  const [, name = '', place = ''] = /^\/v2\/(.+?)\/((?:manifests|blobs|referrers)\/.+)$/.exec(path) ?? []
  const found = contents.get(name)?.get(place)
  if (found === undefined) {
    response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[{"code":"MANIFEST_UNKNOWN"}]}')
    return
  }
  const headers = {
    'content-type': found.type,
    'content-length': found.bytes.length,
    'docker-content-digest': found.digest,
  }
  response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : found.bytes)
}

interface Putting {
  readonly contents: Contents
  readonly pki: TestPki
  readonly signer: TestCertificate
}

async function putImage({ contents, pki, signer }: Putting, name: string): Promise<string> {
  const repository = new Map<string, Content>()
  contents.set(name, repository)
  const put = (places: readonly string[], type: string, bytes: Uint8Array): void => {
    for (const place of places) repository.set(place, { type, bytes, digest: digestOf(bytes) })
  }
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digestOf(encodeUtf8(name)),
    size: name.length,
  }
  const bytes = serializeManifest({ kind: 'image', mediaType: MEDIA_TYPES.ociManifest, config, layers: [] })
  const subject = { mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(bytes), size: bytes.length }
  put([`manifests/${subject.digest}`, 'manifests/1'], subject.mediaType, bytes)
  const statement = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: subject.digest.slice('sha256:'.length) } }],
    predicateType: SIGN_PREDICATE_TYPE,
    predicate: {},
  }
  const { entity } = await signStatement(pki, { statement, signer, logs: [{ shape: 'v1-dsse' }] })
  const bundle = encodeUtf8(serializeBundle(entity))
  const layer = { mediaType: BUNDLE_MEDIA_TYPE, digest: digestOf(bundle), size: bundle.length }
  put([`blobs/${layer.digest}`], 'application/octet-stream', bundle)
  const predicateType = statement.predicateType
  const built = buildBundleManifest({ subject, layer, content: 'dsse-envelope', predicateType, created: 0 })
  put([`manifests/${built.descriptor.digest}`], MEDIA_TYPES.ociManifest, built.bytes)
  const list = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [built.descriptor] }
  put([`referrers/${subject.digest}`], MEDIA_TYPES.ociIndex, encodeUtf8(JSON.stringify(list)))
  return subject.digest
}

/** The longest chain of questions, each asked after the one before it was answered. */
function longestRow(questions: readonly Question[]): number {
  let row = 0
  let free = -Infinity
  // Taking whatever ends first leaves the most room for those after it.
  for (const { from, to } of [...questions].sort((a, b) => a.to - b.to)) {
    if (from < free) continue
    row++
    free = to
  }
  return row
}
