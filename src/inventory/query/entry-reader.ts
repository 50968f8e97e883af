/** Entries of the cache under a question: read once, and only as far as the question asks. @module */
import { readVexPredicate } from '#formats/openvex/document'
import type { EntryStore } from '../cache/entries.js'
import { unpackAttestations, type StoredComponent, type StoredVex } from '../cache/entry.js'
import type { SbomSummary, VexSummary } from '../model.js'
import type { ComponentMatch, ComponentMatcher } from './matcher.js'

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
      const attestation = text === undefined ? undefined : unpackAttestations(text)[at]
      if (attestation?.kind !== 'vex') return undefined
      const { signer, signedAt, predicate } = attestation
      return { signer, signedAt, document: readVexPredicate(predicate) }
    },
  }
}

/** Matches by place in the entry; only places with some. */
async function searchEntry(
  entries: EntryStore,
  matcher: ComponentMatcher,
  key: string,
): Promise<ReadonlyMap<number, readonly MatchedComponent[]> | undefined> {
  const text = await entries.read(key)
  if (text === undefined) return undefined
  if (!mayMatch(text, matcher)) return new Map()
  const matched = unpackAttestations(text).map((attestation) =>
    attestation.kind === 'vex'
      ? []
      : attestation.components.flatMap((component) =>
          matcher.match(component, attestation).map((match) => ({ component, match })),
        ),
  )
  return new Map(matched.entries())
}

/** Whether taking the entry apart is worth it: most have nothing of what is looked for. */
function mayMatch(text: string, { needles }: ComponentMatcher): boolean {
  if (needles === undefined) return true
  const lower = text.toLowerCase()
  return needles.some((needle) => lower.includes(needle))
}
