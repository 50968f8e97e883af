/** Refusals in Kyverno's words. @module */
import type { ProgramFailure, ProgramWording } from '../internal/policy.js'

export function policyWording(name: string): ProgramWording {
  return {
    refused: (failure) => `Policy ${name} ${failure.kind === 'error' ? 'error' : 'failed'}: ${reported(failure)}`,
    reported,
  }
}

function reported(failure: ProgramFailure): string {
  switch (failure.kind) {
    case 'error':
      return `failed to evaluate policy: ${failure.error.message}`
    case 'failed':
      return failure.message
    case 'digest-missing':
      return `image ${failure.image} does not have a digest`
    case 'not-asked':
      return `image ${failure.image} is not verified: no policy performed a signature or attestation check on it`
    case 'unverified':
      return `image ${failure.image} failed signature or attestation verification`
  }
}
