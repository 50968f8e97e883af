/** Which resources a ClusterImagePolicy is about. @module */
import type { Fields } from '../internal/fields.js'
import { labelsOf, readLabelSelector, selectsLabels } from '../internal/label-selector.js'
import type { LabelSelector } from '../internal/label-selector.js'
import type { ResourceMatcher } from '../internal/policy.js'
import type { Review } from '../internal/review.js'

const RESOURCES = ['replicasets', 'deployments', 'pods', 'cronjobs', 'jobs', 'statefulsets', 'daemonsets']

interface Entry {
  readonly group: string
  readonly version: string
  readonly resource: string | undefined
  readonly selector: LabelSelector | undefined
}

/** Any one entry suffices; no entry at all means every resource. */
export function readMatch(spec: Fields): ResourceMatcher {
  const entries = spec.objects('match').map(readEntry)
  return {
    explained: entries.map(({ group, version, resource, selector }) => {
      const labels = selector === undefined ? '' : ' with selected labels'
      return `${group === '' ? '' : `${group}/`}${version}/${resource ?? '*'}${labels}`
    }),
    matches: (review) => entries.length === 0 || entries.some((entry) => matchesEntry(entry, review)),
  }
}

function readEntry(fields: Fields): Entry {
  fields.only('group', 'version', 'resource', 'selector')
  const resource = fields.text('resource')
  const [group, version] = [fields.text('group') ?? '', fields.text('version') ?? '']
  if (resource !== undefined && !RESOURCES.includes(resource))
    fields.complaints.invalid(resource, fields.at('resource'), 'unsupported resource name')
  const selector = fields.object('selector')
  if (selector !== undefined && resource === undefined && version === '' && group === '')
    fields.complaints.invalid('', fields.at('selector'), 'selector requires a resource type to match the labels')
  return { group, version, resource, selector: selector === undefined ? undefined : readLabelSelector(selector) }
}

function matchesEntry({ group, version, resource, selector }: Entry, { resource: asked, object }: Review): boolean {
  if (resource !== undefined || version !== '' || group !== '') {
    if (resource !== undefined && resource !== asked.resource) return false
    if (version !== '*' && version !== asked.version) return false
    if (group !== asked.group) return false
  }
  return selector === undefined || selectsLabels(selector, labelsOf(object))
}
