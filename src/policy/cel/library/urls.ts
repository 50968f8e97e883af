/** URLs, as Kubernetes has them. @module */
import { evaluationError } from '../cel-error.js'
import { free, member } from '../environment.js'
import type { Library, Overload } from '../environment.js'
import { escapedPath, hostnameOf, isRequestUri, parseGoUrl, portOf, queryOf } from '../go-url.js'
import type { GoUrl } from '../go-url.js'
import { bool, list, map, opaqueKind, string } from '../kind.js'
import { EntryMap, Opaque } from '../values.js'

class Url extends Opaque {
  override readonly typeName = 'kubernetes.URL'
  readonly parts: GoUrl

  constructor(parts: GoUrl) {
    super()
    this.parts = parts
  }

  override equals(other: Opaque): boolean {
    return other instanceof Url && identity(this.parts) === identity(other.parts)
  }
}

function identity(parts: GoUrl): string {
  const { scheme, opaque, user, host, query, fragment } = parts
  return JSON.stringify([scheme, opaque, user, host, escapedPath(parts), query, fragment])
}

const url = opaqueKind('kubernetes.URL', Url)

function part(read: (parts: GoUrl) => string): readonly Overload[] {
  return [member([url], string, ([{ parts }]) => read(parts))]
}

export const URLS: Library = {
  url: [
    free([string], url, ([text], { budget }) => {
      budget.read(text.length)
      const parts = parseGoUrl(text)
      if (parts !== undefined) return new Url(parts)
      throw evaluationError('URL parse error during conversion from string', { found: text.slice(0, 60) })
    }),
  ],
  isURL: [free([string], bool, ([text]) => isRequestUri(text))],
  getScheme: part(({ scheme }) => scheme),
  getHost: part(({ host }) => host),
  getHostname: part(hostnameOf),
  getPort: part(portOf),
  getEscapedPath: part(escapedPath),
  getQuery: [member([url], map(string, list(string)), ([{ parts }]) => new EntryMap(queryOf(parts)))],
}
