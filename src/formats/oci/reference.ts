/** Image references as go-containerregistry reads them: registry, repository, tag or digest. @module */
import { isDigest } from './digest.js'
import { OciError } from './oci-error.js'

/** A repository on a registry, normalised (`docker.io` rules). */
export interface Repository {
  /** Host and optional port, as names are printed: `index.docker.io`, `localhost:5000`. */
  readonly registry: string
  /** `library/ubuntu`. */
  readonly repository: string
}

/** An image by tag. */
export interface TagReference extends Repository {
  readonly kind: 'tag'
  readonly tag: string
}

/** An image by digest. */
export interface DigestReference extends Repository {
  readonly kind: 'digest'
  /** `sha256:…` */
  readonly digest: string
  /** A tag that stood before the digest; without meaning. */
  readonly tag?: string | undefined
}

/** A reference to an image by tag or by digest. */
export type Reference = TagReference | DigestReference

const DOCKER_HUB = 'index.docker.io'
const DOCKER_HUB_ALIAS = 'docker.io'
const DEFAULT_TAG = 'latest'

const TAG = /^[A-Za-z0-9_.-]{1,128}$/
const REPOSITORY = /^[a-z0-9_./-]{1,255}$/
// A host name, an IPv4 address or an IPv6 address in brackets, and a port.
const REGISTRY = /^(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::\d{0,5})?$/

/**
 * Reads a reference. Names without a registry are Docker Hub's, names there without a namespace are `library/`'s,
 * and without a tag it is `latest`.
 * @throws OciError `OCI_REFERENCE`
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@')
  if (at < 0) {
    const { base, tag } = splitTag(text)
    return { kind: 'tag', ...parseRepository(base), tag: tag ?? DEFAULT_TAG }
  }
  const digest = text.slice(at + 1)
  if (!digest.startsWith('sha256:') || !isDigest(digest)) {
    throw malformed('the digest of the image reference is not one', digest)
  }
  const { base, tag } = splitTag(text.slice(0, at))
  return { kind: 'digest', ...parseRepository(base), digest, tag }
}

/**
 * Reads a repository: a reference without tag and digest, as in `COSIGN_REPOSITORY`.
 * @throws OciError `OCI_REFERENCE`
 */
export function parseRepository(text: string): Repository {
  const slash = text.indexOf('/')
  const first = text.slice(0, Math.max(slash, 0))
  // Only a first part that looks like a host is one; otherwise the whole name is a repository on Docker Hub.
  const named = slash >= 0 && (first === 'localhost' || /[.:]/.test(first))
  const host = named ? first : DOCKER_HUB
  const path = named ? text.slice(slash + 1) : text
  // Stricter than go-containerregistry, which takes `https://host/app` for a registry called `https:`.
  if (!REPOSITORY.test(path) || path.split('/').includes(''))
    throw malformed('the repository of the image reference has a name that is not allowed', text)
  if (!REGISTRY.test(host)) throw malformed('the registry of the image reference is not a host', text)
  const registry = host === DOCKER_HUB_ALIAS ? DOCKER_HUB : host
  return { registry, repository: registry === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path }
}

/** `index.docker.io/library/ubuntu`: how a repository is called in payloads and messages. */
export function repositoryName({ registry, repository }: Repository): string {
  return `${registry}/${repository}`
}

/** The full name of a reference: the repository with `:tag` or `@digest`. */
export function referenceName(reference: Reference): string {
  const repository = repositoryName(reference)
  return reference.kind === 'tag' ? `${repository}:${reference.tag}` : `${repository}@${reference.digest}`
}

/** The same repository by digest. */
export function withDigest({ registry, repository }: Repository, digest: string): DigestReference {
  return { kind: 'digest', registry, repository, digest }
}

/** The same repository by tag. */
export function withTag({ registry, repository }: Repository, tag: string): TagReference {
  return { kind: 'tag', registry, repository, tag }
}

/**
 * Whether a registry is spoken to without TLS: local ones and private addresses, as go-containerregistry does.
 * Callers may decide otherwise.
 */
export function isPlainHttpRegistry(registry: string): boolean {
  const host = registry.replace(/:\d{0,5}$/, '')
  if (host === '[::1]' || host === '127.0.0.1' || host.endsWith('.localhost')) return true
  if (registry.startsWith('localhost:')) return true
  return /^(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+$/.test(host)
}

function splitTag(text: string): { readonly base: string; readonly tag: string | undefined } {
  const colon = text.lastIndexOf(':')
  // A colon before a slash belongs to the port of the registry.
  if (colon < 0 || text.indexOf('/', colon) >= 0) return { base: text, tag: undefined }
  const tag = text.slice(colon + 1)
  if (!TAG.test(tag)) throw malformed('the tag of the image reference is not one', text)
  return { base: text.slice(0, colon), tag }
}

function malformed(message: string, found: string): OciError {
  return new OciError('OCI_REFERENCE', message, {
    expected: '[registry/]repository[:tag] or [registry/]repository@sha256:<hex>',
    found: found.slice(0, 200),
  })
}
