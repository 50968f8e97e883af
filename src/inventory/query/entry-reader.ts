/** Entries of the cache under a question: read once, and only as far as the question asks. @module */
import { readVexPredicate } from '#formats/openvex/document'
import type { EntryStore } from '../cache/entries.js'
import {
  attestationHeaders,
  isHeader,
  namesInLine,
  parseComponent,
  parseHeader,
  type AttestationHeader,
  type StoredComponent,
  type StoredVex,
} from '../cache/entry.js'
import type { SbomSummary, VexSummary } from '../model.js'
import type { ComponentMatch, ComponentMatcher, Needles } from './matcher.js'

/** A component with what the question makes of it. */
export interface MatchedComponent {
  readonly component: StoredComponent
  readonly match: ComponentMatch
}

/** An OpenVEX document with who signed it, and when. */
export interface SignedVex extends Pick<StoredVex, 'signer' | 'signedAt'> {
  readonly document: ReturnType<typeof readVexPredicate>
}

export interface EntryReader {
  /** Components of a bill of materials that match; undefined if the cache has lost it. */
  matches(sbom: SbomSummary): Promise<readonly MatchedComponent[] | undefined>
  /** Undefined if the cache has lost it: then it excuses nothing. */
  vex(vex: VexSummary): Promise<SignedVex | undefined>
}

export function createEntryReader(entries: EntryStore, matcher: ComponentMatcher): EntryReader {
  const searched = new Map<string, Promise<ReadonlyMap<number, readonly MatchedComponent[]> | undefined>>()
  return {
    matches: async ({ key, at }) => {
      // What hangs on an index is the same for all of its platforms.
      const pending = searched.get(key) ?? searchEntry(entries, matcher, key)
      searched.set(key, pending)
      const found = await pending
      return found === undefined ? undefined : (found.get(at) ?? [])
    },
    vex: async ({ key, at }) => {
      const text = await entries.read(key)
      const attestation = text === undefined ? undefined : attestationHeaders(text)[at]
      if (attestation?.kind !== 'vex') return undefined
      const { signer, signedAt, predicate } = attestation
      return { signer, signedAt, document: readVexPredicate(predicate) }
    },
  }
}

/** Matches by place in the entry; places without any are left out. */
async function searchEntry(
  entries: EntryStore,
  matcher: ComponentMatcher,
  key: string,
): Promise<ReadonlyMap<number, readonly MatchedComponent[]> | undefined> {
  const text = await entries.read(key)
  if (text === undefined) return undefined
  return matchesIn(text, matcher)
}

/** Goes through the lines; a header is taken apart when the first component behind it is. */
function matchesIn(text: string, matcher: ComponentMatcher): ReadonlyMap<number, readonly MatchedComponent[]> {
  const found = new Map<number, MatchedComponent[]>()
  const lower = matcher.needles === undefined ? '' : text.toLowerCase()
  if (matcher.needles !== undefined && !holds(lower, matcher.needles)) return found
  // Lower case may change the length of a line, never the number of lines.
  const lowerLines = lower.split('\n')
  let at = -1
  let header: { readonly line: string; parsed?: AttestationHeader } = { line: '' }
  for (const [number, line] of text.split('\n').entries()) {
    if (isHeader(line)) {
      at += 1
      header = { line }
      continue
    }
    if (matcher.needles === undefined ? !mayBeNamed(line, matcher) : !holds(lowerLines[number] ?? '', matcher.needles))
      continue
    const sbom = (header.parsed ??= parseHeader(header.line))
    if (sbom.kind === 'vex') continue
    const component = parseComponent(line)
    const matches = matcher.match(component, sbom).map((match) => ({ component, match }))
    if (matches.length === 0) continue
    const before = found.get(at)
    if (before === undefined) found.set(at, matches)
    else before.push(...matches)
  }
  return found
}

function mayBeNamed(line: string, { mayBeNamed: asked }: ComponentMatcher): boolean {
  return asked === undefined || (namesInLine(line)?.some(asked) ?? true)
}

function holds(text: string, needles: Needles): boolean {
  return needles.some((group) => group.every((needle) => text.includes(needle)))
}
