/** What an API server can refuse, and what keeps us from asking it. @module */
import { CodedError, isCodedError, type ErrorDetail } from '#errors'
import type { KubernetesStatus } from './status.js'

export type KubernetesErrorCode =
  /** A kubeconfig, or what a pod finds of its cluster, cannot be read or contradicts itself. */
  | 'KUBERNETES_CONFIG'
  /** There is nothing to log in with: a token file is gone, a credential plugin failed or answered something else. */
  | 'KUBERNETES_CREDENTIALS'
  /** The API server does not know who asks (401). */
  | 'KUBERNETES_UNAUTHORIZED'
  /** The API server knows who asks, and does not allow it (403): a role or a binding is missing. */
  | 'KUBERNETES_FORBIDDEN'
  /** There is no such object, or the API server does not serve the kind (404). */
  | 'KUBERNETES_NOT_FOUND'
  /** The object was changed since it was read, or another field manager owns a field (409). */
  | 'KUBERNETES_CONFLICT'
  /** There is one of that name already (409). */
  | 'KUBERNETES_EXISTS'
  /** The resource version or the page asked for is no longer kept (410): list again. */
  | 'KUBERNETES_EXPIRED'
  /** The API server, or a webhook behind it, does not take the object as it is (400, 413, 415, 422 and other refusals). */
  | 'KUBERNETES_INVALID'
  /** The API server asks for patience (429). */
  | 'KUBERNETES_THROTTLED'
  /** The API server cannot do its work now (5xx). */
  | 'KUBERNETES_UNAVAILABLE'
  /** The answer is not what an API server says: another service may have answered. */
  | 'KUBERNETES_ANSWER'

/** A request to the API server that did not do what it was for. */
export class KubernetesError extends CodedError<KubernetesErrorCode> {
  override readonly name = 'KubernetesError'
  /** What the API server said, if it did. */
  readonly status: KubernetesStatus | undefined

  constructor(
    code: KubernetesErrorCode,
    message: string,
    detail: ErrorDetail & { readonly status?: KubernetesStatus } = {},
  ) {
    super(code, message, detail)
    this.status = detail.status
  }
}

/** Whether an error is one of these; `instanceof` would not do, for the reason that `isHttpError` has. */
export function isKubernetesError(error: unknown): error is KubernetesError {
  return isCodedError(error) && error.name === 'KubernetesError'
}
