/** Why the variables or secrets of a forge cannot be read or written. @module */
import { CodedError } from '#errors'

export type ForgeErrorCode =
  /** What was given does not name a project, a group, an owner or a repository of a forge (GitLab, GitHub). */
  | 'FORGE_REFERENCE'
  /** There is no token for the forge, or it does not take it, or its address cannot be used. */
  | 'FORGE_CREDENTIALS'
  /** The forge knows whose token it is, and does not let them read or write there. */
  | 'FORGE_DENIED'
  /** The forge has no such project, group, repository or variable, or does not show it to this token. */
  | 'FORGE_NOT_FOUND'
  /** The forge refused for another reason, such as a value that it does not store. */
  | 'FORGE_REFUSED'
  /** The answer is not what a forge says: another service may have answered. */
  | 'FORGE_RESPONSE'
  /** The forge cannot do its work now. */
  | 'FORGE_UNAVAILABLE'

/** A forge did not do what it was asked for. Its text never holds a token or a value. */
export class ForgeError extends CodedError<ForgeErrorCode> {
  override readonly name = 'ForgeError'
}
