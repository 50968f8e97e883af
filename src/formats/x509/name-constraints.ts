/** Name constraints (RFC 5280 §4.2.1.10): read, and asked whether they allow a name. @module */
import type { DerElement } from '#encoding/der'
import { TAG, contextTag } from '#encoding/der'
import { equalBytes } from '#encoding/bytes'
import { CertificateError } from './errors.js'
import type { GeneralName } from './general-name.js'
import { readGeneralName } from './general-name.js'

/** A `dns`, `email` or `uri` base may be a domain or `.domain`; an `ip` base is address ‖ mask. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}

/** Reads the extension's value. @throws DerError, EncodingError, CertificateError */
export function readNameConstraints(element: DerElement): NameConstraints {
  const reader = element.contents()
  const permitted = reader.optional(contextTag(0, { constructed: true }))
  const excluded = reader.optional(contextTag(1, { constructed: true }))
  reader.end()
  if (permitted === undefined && excluded === undefined) {
    throw new CertificateError('CERTIFICATE_MALFORMED', 'name constraints are empty')
  }
  return { permitted: readSubtrees(permitted), excluded: readSubtrees(excluded) }
}

/**
 * Why the constraints forbid a name, or undefined if they allow it. A kind of name that a constraint speaks about but
 * that this code cannot compare is forbidden, never let through.
 */
export function nameConstraintViolation(constraints: NameConstraints, name: GeneralName): string | undefined {
  const excluded = constraints.excluded.filter((base) => base.kind === name.kind)
  const permitted = constraints.permitted.filter((base) => base.kind === name.kind)
  if (excluded.length === 0 && permitted.length === 0) return undefined
  const matches = MATCHERS[name.kind]
  if (matches === undefined) return `constraints on names of kind ${name.kind} are not understood`
  if (!comparable(name)) return `the ${name.kind} has no host name that a constraint could be compared with`
  if (excluded.some((base) => matches(base, name))) return 'the name is in an excluded subtree'
  if (permitted.length > 0 && !permitted.some((base) => matches(base, name)))
    return 'the name is in no permitted subtree'
  return undefined
}

// RFC 5280 §4.2.1.10: a URI without a host name (an address, or no authority at all) must be refused under a constraint;
// asked of an excluded subtree, "does not match" would let it through.
function comparable(name: GeneralName): boolean {
  if (name.kind === 'uri') return uriHost(name.value) !== undefined
  return name.kind !== 'email' || name.value.lastIndexOf('@') > 0
}

type Matcher = (base: GeneralName, name: GeneralName) => boolean

const MATCHERS: { readonly [Kind in GeneralName['kind']]?: Matcher } = {
  dns: text((base, name) => underDomain(name, base, { subdomains: true })),
  email: text(emailMatches),
  uri: text(uriMatches),
  ip: (base, name) => base.kind === 'ip' && name.kind === 'ip' && ipMatches(base.value, name.value),
}

function text(matches: (base: string, name: string) => boolean): Matcher {
  return (base, name) =>
    'value' in base &&
    'value' in name &&
    typeof base.value === 'string' &&
    typeof name.value === 'string' &&
    matches(base.value, name.value)
}

function readSubtrees(element: DerElement | undefined): readonly GeneralName[] {
  const subtrees: GeneralName[] = []
  const reader = element?.contents()
  while (reader !== undefined && !reader.done) {
    const subtree = reader.next(TAG.SEQUENCE).contents()
    subtrees.push(readGeneralName(subtree.next()))
    // minimum and maximum: RFC 5280 has the one fixed at 0 (so DER leaves it out) and the other absent.
    subtree.end()
  }
  if (element !== undefined && subtrees.length === 0) {
    throw new CertificateError('CERTIFICATE_MALFORMED', 'a list of name constraints is empty')
  }
  return subtrees
}

/** Whether a host is the domain, or (where allowed, or the base begins with a dot) below it. */
function underDomain(host: string, base: string, { subdomains }: { readonly subdomains: boolean }): boolean {
  const name = host.toLowerCase()
  const domain = base.toLowerCase()
  if (domain === '') return true
  if (domain.startsWith('.')) return name.length > domain.length && name.endsWith(domain)
  return name === domain || (subdomains && name.endsWith(`.${domain}`))
}

function emailMatches(base: string, name: string): boolean {
  const at = name.lastIndexOf('@')
  if (at < 1) return false
  // A base with @ is one mailbox; the part before it is case-sensitive (RFC 5280 §7.5).
  const baseAt = base.lastIndexOf('@')
  if (baseAt >= 0) {
    return (
      name.slice(0, at) === base.slice(0, baseAt) && name.slice(at).toLowerCase() === base.slice(baseAt).toLowerCase()
    )
  }
  return underDomain(name.slice(at + 1), base, { subdomains: false })
}

const AUTHORITY = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([A-Za-z0-9.-]+)(?::\d*)?(?:[/?#]|$)/

function uriHost(uri: string): string | undefined {
  const host = AUTHORITY.exec(uri)?.[1]
  return host === undefined || /^[\d.]+$/.test(host) ? undefined : host
}

function uriMatches(base: string, name: string): boolean {
  const host = uriHost(name)
  return host !== undefined && underDomain(host, base, { subdomains: false })
}

function ipMatches(base: Uint8Array, name: Uint8Array): boolean {
  if (base.length !== 2 * name.length) return false
  const mask = base.subarray(name.length)
  return equalBytes(masked(name, mask), masked(base.subarray(0, name.length), mask))
}

function masked(address: Uint8Array, mask: Uint8Array): Uint8Array {
  return address.map((byte, i) => byte & (mask[i] ?? 0))
}
