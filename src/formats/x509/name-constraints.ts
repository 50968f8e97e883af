import type { GeneralName } from './general-name.js'
/** RFC 5280 §4.2.1.10. A `dns`, `email` or `uri` base may be a domain or `.domain`; an `ip` base is address ‖ mask. */
export interface NameConstraints {
  readonly permitted: readonly GeneralName[]
  readonly excluded: readonly GeneralName[]
}
