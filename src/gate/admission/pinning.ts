/** Where the verified digest is written into what is admitted, and where it therefore has to stand. @module */
import { imagesOf } from '#policy/internal/pod-images'
import type { Review } from '#policy/internal/review'
import type { Pin } from '#policy/engine/verdict'

/** In which kinds digests are written. */
export type PinKinds =
  /** What runs is pinned, and everything that makes pods keeps what its author wrote (GitOps compares it). */
  | 'pods'
  /** Also the templates of workloads, as policy-controller does. */
  | 'all'
  /** The author has to write digests. */
  | 'none'

/** One operation of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'replace'
  readonly path: string
  readonly value: string
}

/** The patch that writes digests where this gate may write. */
export function pinPatch(review: Review, pins: readonly Pin[], kinds: PinKinds): readonly PatchOperation[] {
  if (!writesInto(review, kinds)) return []
  const before = imagesBefore(review)
  return pins
    .filter(({ pointer, from }) => before.get(pointer) !== from)
    .map(({ pointer, to }) => ({ op: 'replace', path: pointer, value: to }))
}

/**
 * Whether an image without a digest is to be refused by the hook that comes after the one that writes them.
 * Where nothing was written, because nothing may be, a tag that stays is no fault of the resource; what it stands for is verified
 * all the same.
 */
export function digestsMustStand(review: Review, kinds: PinKinds): boolean {
  if (isImmutable(review)) return false
  if (kinds === 'pods' && !isPod(review)) return false
  // What ran before the gate came may have tags; changing a label of it would otherwise be refused or restart it.
  if (review.operation !== 'UPDATE') return true
  const before = imagesBefore(review)
  return !imagesOf(review).some(({ pointer, value }) => isTagged(value) && before.get(pointer) === value)
}

function writesInto(review: Review, kinds: PinKinds): boolean {
  if (kinds === 'none' || isImmutable(review)) return false
  return kinds === 'all' || isPod(review)
}

function isPod({ kind: { group, kind } }: Review): boolean {
  return group === '' && kind === 'Pod'
}

/** The template of a Job cannot be changed once it is there: a patch would make every update fail. */
function isImmutable({ operation, kind: { kind } }: Review): boolean {
  return operation === 'UPDATE' && kind === 'Job'
}

function imagesBefore(review: Review): ReadonlyMap<string, unknown> {
  const { operation, oldObject } = review
  if (operation !== 'UPDATE' || oldObject === undefined) return new Map()
  return new Map(imagesOf({ ...review, object: oldObject }).map(({ pointer, value }) => [pointer, value]))
}

function isTagged(value: unknown): boolean {
  return typeof value === 'string' && !value.includes('@')
}
