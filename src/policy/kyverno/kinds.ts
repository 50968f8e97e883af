/** How Kyverno names kinds: `Pod`, `v1/Pod`, `apps/v1/Deployment`, `Pod/ephemeralcontainers`, `tekton.dev/v1beta1/TaskRun.status`. @module */
import type { Review } from '../internal/review.js'
import { wildcard } from './wildcard.js'
import type { Wildcard } from './wildcard.js'

/** Each part may have wildcards. */
export interface KindSelector {
  readonly text: string
  readonly group: Wildcard
  readonly version: Wildcard
  readonly kind: Wildcard
  /** Empty: the resource itself. */
  readonly subresource: Wildcard
}

const VERSION = /^(?:v\d+(?:(?:alpha|beta)\d+)?|\*)$/

/**
 * Reads a selector; undefined for a text of another form.
 * @throws VerificationError `VERIFY_PATTERN` for a text that is too long
 */
export function parseKindSelector(text: string): KindSelector | undefined {
  const [group, version, kind, subresource] = partsOf(text) ?? []
  if (group === undefined || version === undefined || kind === undefined || kind === '') return undefined
  return {
    text,
    group: wildcard(group),
    version: wildcard(version),
    kind: wildcard(kind),
    subresource: wildcard(subresource ?? ''),
  }
}

type Parts = readonly [group: string, version: string, kind: string, subresource: string]

function partsOf(text: string): Parts | undefined {
  const slashed = text.split('/')
  const [first = '', second = '', third = '', fourth = '', ...more] = [
    ...slashed.slice(0, -1),
    ...(slashed.at(-1) ?? '').split('.'),
  ]
  const count = slashed.length - 1 + (slashed.at(-1) ?? '').split('.').length
  if (more.length > 0) return undefined
  if (count === 1) return ['*', '*', first, '']
  if (count === 2) return pairOf(first, second)
  if (count === 3) return VERSION.test(first) ? ['*', first, second, third] : [first, second, third, '']
  return [first, second, third, fourth]
}

function pairOf(first: string, second: string): Parts {
  if (first === '*' && second === '*') return ['*', '*', '*', '*']
  // All lower case is no kind: `*/scale`.
  if (first === '*' && second.toLowerCase() === second) return ['*', '*', first, second]
  return VERSION.test(first) ? ['*', first, second, ''] : ['*', '*', first, second]
}

/** Whether a review is of the kind. Who names pods means the containers that are put into them later, too. */
export function isOfKind(selector: KindSelector, { kind, resource }: Review): boolean {
  const { group, version, kind: name, subresource } = selector
  if (!group.matches(kind.group) || !version.matches(kind.version) || !name.matches(kind.kind)) return false
  const asked = resource.subresource ?? ''
  if (subresource.matches(asked)) return true
  return asked === 'ephemeralcontainers' && kind.kind === 'Pod' && kind.group === '' && kind.version === 'v1'
}
