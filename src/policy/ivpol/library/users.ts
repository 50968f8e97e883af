/** Names of users in parts. @module */
import { free } from '../../cel/environment.js'
import type { Library, Overload } from '../../cel/environment.js'
import type { Kind } from '../../cel/kind.js'
import { string } from '../../cel/kind.js'
import { objectType, STRING } from '../../cel/types.js'
import { CelMap, EntryMap } from '../../cel/values.js'

const account: Kind<CelMap> = {
  type: objectType('user.ServiceAccount', { Name: STRING, Namespace: STRING }),
  accepts: (value): value is CelMap => value instanceof CelMap,
}

const PREFIX = 'system:serviceaccount:'

const parse: readonly Overload[] = [
  free([string], account, ([text]) => {
    const [, namespace = '', name = ''] = text.startsWith(PREFIX)
      ? (/^([^:]*):(.*)$/s.exec(text.slice(PREFIX.length)) ?? [])
      : []
    return new EntryMap([
      ['Name', name],
      ['Namespace', namespace],
    ])
  }),
]

export const USERS: Library = { parseServiceAccount: parse, 'user.parseServiceAccount': parse }
