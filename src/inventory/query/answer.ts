/** The answer to a question: what was found, what was excused and by whom, and what nobody can say. @module */
import type { VexStatus } from '#formats/openvex/document'
import type { StoredComponent } from '../cache/entry.js'
import type { AttachedTo, Inventory, InventoryImage, Signer, Unknown } from '../model.js'
import type { Standing } from './matcher.js'
import type { BrokenRecord } from './osv-folder.js'
import type { Vulnerability } from './vulnerability.js'

/** What the answer comes down to. */
export type AnswerVerdict =
  /** It is there. */
  | 'found'
  /** It is nowhere, and everything could be looked through. */
  | 'none'
  /** It was not found, and cannot be ruled out. */
  | 'unknown'

/** A bill of materials that lists a component. */
export interface Witness {
  readonly signer: Signer
  readonly format: string
  readonly attachedTo: AttachedTo
  readonly attestation: string
}

/** What a pinned signer says about a vulnerability in an image. */
export interface Excuse {
  readonly status: VexStatus
  readonly justification: string | undefined
  readonly statement: string | undefined
  readonly document: string
  readonly signer: Signer
}

/** A component of one image, as every bill of materials that lists it has it. */
export interface Finding {
  readonly component: Pick<StoredComponent, 'group' | 'name' | 'version' | 'purl' | 'locations' | 'hashes'>
  readonly standing: Standing
  readonly vulnerability: Vulnerability | undefined
  readonly witnesses: readonly Witness[]
  /** What OpenVEX says of it, whether that excuses it or not. */
  readonly vex: Excuse | undefined
}

/** Findings in one image that can run. */
export interface ImageFindings {
  readonly image: InventoryImage
  readonly digest: string
  readonly platform: string | undefined
  readonly findings: readonly Finding[]
}

/** An image of which "not found" would be a guess. */
export interface UnknownImage {
  readonly image: InventoryImage
  readonly digest: string | undefined
  readonly platform: string | undefined
  readonly unknown: Unknown
}

export interface Answer {
  readonly question: string
  readonly verdict: AnswerVerdict
  readonly inventory: Inventory
  /** Components that are there, or are affected. */
  readonly found: readonly ImageFindings[]
  /** Components that may be affected. */
  readonly possible: readonly ImageFindings[]
  /** Affected components that a pinned signer says are no danger. */
  readonly excused: readonly ImageFindings[]
  readonly unknown: readonly UnknownImage[]
  /** Records that could not be read. */
  readonly broken: readonly BrokenRecord[]
  /** What else is to be known. */
  readonly notes: readonly string[]
  readonly vulnerabilities: readonly Vulnerability[]
}

/** Statuses with which a vulnerability is no danger (any more). */
export const EXCUSING: ReadonlySet<VexStatus> = new Set<VexStatus>(['not_affected', 'fixed'])

export function verdictOf({ found, possible, unknown, broken }: Omit<Answer, 'verdict'>): AnswerVerdict {
  if (found.length > 0) return 'found'
  return possible.length + unknown.length + broken.length > 0 ? 'unknown' : 'none'
}
