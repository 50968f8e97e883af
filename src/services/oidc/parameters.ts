/** Request parameters under OAuth's rules: none twice, none endless. @module */
import { IssuerError } from './errors.js'

const MAX_PARAMETER_LENGTH = 2048

/** Parameters of a query or a form, each at most once (RFC 6749 §3.1). An empty one counts as absent (same section). */
export class Parameters {
  readonly #values: ReadonlyMap<string, string>

  /** @throws IssuerError ISSUER_PARAMETER */
  constructor(source: URLSearchParams, mayRepeat: ReadonlySet<string> = new Set()) {
    const values = new Map<string, string>()
    for (const [name, value] of source) {
      if (values.has(name) && !mayRepeat.has(name))
        throw new IssuerError('ISSUER_PARAMETER', 'a parameter is there twice', { found: name.slice(0, 40) })
      if (value.length > MAX_PARAMETER_LENGTH)
        throw new IssuerError('ISSUER_PARAMETER', 'a parameter is too long', { found: name.slice(0, 40) })
      if (value !== '') values.set(name, value)
    }
    this.#values = values
  }

  get(name: string): string | undefined {
    return this.#values.get(name)
  }

  /** @throws IssuerError ISSUER_PARAMETER */
  require(name: string): string {
    const value = this.#values.get(name)
    if (value === undefined) throw new IssuerError('ISSUER_PARAMETER', 'a parameter is missing', { expected: name })
    return value
  }
}
