/** What a registry can refuse or get wrong. @module */
import { CodedError } from '#errors'

export type RegistryErrorCode =
  | 'REGISTRY_NOT_FOUND'
  | 'REGISTRY_UNAUTHORIZED'
  | 'REGISTRY_DENIED'
  | 'REGISTRY_RATE_LIMITED'
  | 'REGISTRY_CONFLICT'
  | 'REGISTRY_UNSUPPORTED'
  | 'REGISTRY_REFUSED'
  | 'REGISTRY_UNAVAILABLE'
  | 'REGISTRY_RESPONSE'
  | 'REGISTRY_DIGEST'
  | 'REGISTRY_TOO_LARGE'
  | 'REGISTRY_TOKEN'
  | 'REGISTRY_CREDENTIALS'
  | 'REGISTRY_CREDENTIAL_HELPER'
  /** So much is being asked of the registry at once that nothing more is. */
  | 'REGISTRY_BUSY'

/** A registry refused, or its answer cannot be believed. */
export class RegistryError extends CodedError<RegistryErrorCode> {
  override readonly name = 'RegistryError'
}
