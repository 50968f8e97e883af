/** Looking for a part of a name, or for a hash. @module */
import { InventoryError } from '../inventory-error.js'
import type { StoredComponent } from '../cache/entry.js'
import { needleOf, type ComponentMatcher } from './matcher.js'

/**
 * Matches whatever has the text in its name, its group, its package URL or its CPE, in any case: too much is better than too
 * little, since "not found" is to be relied on. With `@version` behind it, that version only; a hash matches hashes.
 * @param exact only names that are the text as a whole
 * @throws InventoryError `INVENTORY_QUERY`
 */
export function termMatcher(term: string, { exact }: { readonly exact: boolean }): ComponentMatcher {
  const { name, version } = splitTerm(term.trim())
  if (name.length < 2) {
    throw new InventoryError('INVENTORY_QUERY', 'the name is too short to look for', {
      expected: 'at least two characters of the name of a component',
      found: term.slice(0, 40),
    })
  }
  const hash = hashIn(name)
  const matches = hash === undefined ? (exact ? isNamed : holds) : hasHash
  return {
    question: `${exact ? 'components called' : 'components with'} ${term}`,
    needles: needleOf(hash ?? name),
    match: (component) =>
      matches(component, hash ?? name) && (version === undefined || component.version?.toLowerCase() === version)
        ? [{ standing: 'present', vulnerability: undefined }]
        : [],
  }
}

/** An `@` at the beginning is an npm scope's. */
function splitTerm(term: string): { readonly name: string; readonly version: string | undefined } {
  const lower = term.toLowerCase()
  const at = lower.lastIndexOf('@')
  return at <= 0 || at === lower.length - 1
    ? { name: lower, version: undefined }
    : { name: lower.slice(0, at), version: lower.slice(at + 1) }
}

/** `sha256:<hex>`, or the hex alone. */
function hashIn(text: string): string | undefined {
  return /^(?:(?:md5|sha1|sha256|sha384|sha512|blake\w+|sha3\w+):)?([0-9a-f]{32,})$/.exec(text)?.[1]
}

function hasHash({ hashes }: StoredComponent, hex: string): boolean {
  return hashes.some((hash) => hash.endsWith(`:${hex}`))
}

function holds({ name, group, purl, cpes, source }: StoredComponent, text: string): boolean {
  return (
    `${group ?? ''}:${name}`.toLowerCase().includes(text) ||
    `${group ?? ''}/${name}`.toLowerCase().includes(text) ||
    purl?.toLowerCase().replaceAll('%40', '@').includes(text) === true ||
    source?.name.toLowerCase().includes(text) === true ||
    cpes.some((cpe) => cpe.toLowerCase().includes(text))
  )
}

function isNamed({ name, group }: StoredComponent, text: string): boolean {
  const lower = name.toLowerCase()
  return (
    lower === text || (group !== undefined && [':', '/'].some((by) => `${group}${by}${name}`.toLowerCase() === text))
  )
}
