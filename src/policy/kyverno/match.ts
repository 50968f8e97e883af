/** Which resources a rule is about: `match` and `exclude`. @module */
import type { Circumstances } from '../internal/cluster.js'
import type { Fields } from '../internal/fields.js'
import type { ResourceMatcher } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { invalidValue, required } from './complain.js'
import { asksForUser, isEmptyFilter, isFiltered, readFilter, USER_FIELDS } from './filter.js'
import type { ResourceFilter } from './filter.js'

interface Filters {
  readonly combine: 'any' | 'all'
  readonly filters: readonly ResourceFilter[]
}

const MAX_FILTERS = 500
const KIND_MISSING =
  'at least one element must be specified in a kind block, the kind attribute is mandatory when working with the resources element'

/** Reads both blocks of a rule. */
export function readMatch(rule: Fields, namespaced: boolean): ResourceMatcher {
  const [match, exclude] = [rule.object('match'), rule.object('exclude')]
  if (match === undefined) required(rule, 'match', 'a rule is about something')
  const included = match === undefined ? NOTHING : readFilters(match, namespaced)
  const excluded = exclude === undefined ? NOTHING : readFilters(exclude, namespaced)
  const complete = included.filters.length > 0 && included.filters.every(({ kinds }) => kinds.length > 0)
  if (match !== undefined && !complete) invalidValue(match, KIND_MISSING)
  return {
    explained: [
      included.filters.map(explainFilter).join(included.combine === 'any' ? ', or ' : ', and ') +
        (excluded.filters.length === 0
          ? ''
          : `, except ${excluded.filters.map(explainFilter).join(excluded.combine === 'any' ? ', or ' : ', and ')}`),
    ],
    matches: matcherOf(included, excluded),
  }
}

/** The `match` of an exception, which has no block beside it. */
export function readExceptionMatch(spec: Fields): ResourceMatcher {
  const match = spec.object('match')
  if (match === undefined) required(spec, 'match', 'an exception is for something')
  const included = match === undefined ? NOTHING : readFilters(match, false)
  return {
    explained: included.filters.map(explainFilter),
    // Here a user who is not known has no roles: an exception that asks for some is not for whoever that is.
    matches: holding(included),
  }
}

const NOTHING: Filters = { combine: 'any', filters: [] }

function readFilters(fields: Fields, namespaced: boolean): Filters {
  fields.only('any', 'all', 'resources', ...USER_FIELDS)
  const [any, all] = [fields.objects('any'), fields.objects('all')]
  if (any.length > 0 && all.length > 0) invalidValue(fields, "Can't specify any and all together")
  const direct = ['resources', ...USER_FIELDS].some((name) => fields.has(name))
  if (direct && any.length + all.length > 0) invalidValue(fields, "can't specify any/all together with match resources")
  if (any.length + all.length > MAX_FILTERS) invalidValue(fields, `expected at most ${String(MAX_FILTERS)} blocks`)
  const blocks = [...any, ...all].slice(0, MAX_FILTERS)
  for (const block of blocks) block.only('resources', ...USER_FIELDS)
  const filters = (blocks.length === 0 && direct ? [fields] : blocks).map((each) => readFilter(each, namespaced))
  return { combine: all.length > 0 ? 'all' : 'any', filters }
}

function matcherOf(included: Filters, excluded: Filters): ResourceMatcher['matches'] {
  const anybody = { subjects: [], roles: [], clusterRoles: [] }
  const byAnybody = { ...included, filters: included.filters.map((filter) => ({ ...filter, ...anybody })) }
  const isExcluded = excluded.filters.length === 0 ? () => false : holding(excluded)
  const [isMatched, isMatchedByAnybody] = [holding(included), holding(byAnybody)]
  return (review, circumstances) => {
    // Who the user is does not matter where it is not known: what already runs is judged, too, and files have nobody who applied them.
    const matches = review.user === undefined ? isMatchedByAnybody : isMatched
    return after(matches(review, circumstances), (matched) =>
      matched ? after(isExcluded(review, circumstances), (is) => !is) : false,
    )
  }
}

/** Whether the blocks hold: known at once, unless one of them asks the cluster. */
function holding({ combine, filters }: Filters): ResourceMatcher['matches'] {
  // A block that asks nothing neither selects nor excludes.
  const asking = filters.filter((filter) => !isEmptyFilter(filter))
  if (asking.length === 0 || (combine === 'all' && asking.length < filters.length)) return () => false
  const from = (index: number, review: Review, circumstances: Circumstances): boolean | Promise<boolean> => {
    const filter = asking[index]
    if (filter === undefined) return combine === 'all'
    return after(isFiltered(filter, review, circumstances), (matched) =>
      matched === (combine === 'any') ? matched : from(index + 1, review, circumstances),
    )
  }
  return (review, circumstances) => from(0, review, circumstances)
}

/** Goes on at once with what is known at once. */
function after(
  known: boolean | Promise<boolean>,
  next: (known: boolean) => boolean | Promise<boolean>,
): boolean | Promise<boolean> {
  return typeof known === 'boolean' ? next(known) : known.then(next)
}

function explainFilter(filter: ResourceFilter): string {
  const { kinds, names, namespaces, annotations, selector, namespaceSelector, operations } = filter
  const texts = (what: string, list: readonly { readonly text: string }[]): readonly string[] =>
    list.length === 0 ? [] : [`${what} ${list.map(({ text }) => text).join(' or ')}`]
  return [
    kinds.length === 0 ? 'any kind' : kinds.map(({ text }) => text).join(' or '),
    ...texts('named', names),
    ...texts('in namespaces', namespaces),
    ...(annotations.length === 0 ? [] : ['with selected annotations']),
    ...(selector === undefined ? [] : ['with selected labels']),
    ...(namespaceSelector === undefined ? [] : ['in namespaces with selected labels']),
    ...(operations.length === 0 ? [] : [`on ${operations.join(' or ')}`]),
    ...(asksForUser(filter) ? ['by selected users'] : []),
  ].join(' ')
}
