/** Asking the Cloud Key Management Service of Google by its REST interface. @module */
import { isJsonObject, type JsonObject } from '#encoding/json'
import { googleAccess } from '../cloud/google-token.js'
import { askService, jsonRequest, type RefusalReading } from './ask.js'
import { KmsError } from './kms-error.js'
import type { KmsPorts } from './kms-key.js'

export const GOOGLE_KMS = 'the key management service of Google'
const BASE = 'https://cloudkms.googleapis.com/v1/'

/** Reads what is at a path, or asks it something. */
export type AskGoogle = (path: string, body?: JsonObject) => Promise<JsonObject>

/** @throws {@link KmsError}; also what is returned */
export async function openGoogle(ports: KmsPorts, signal: AbortSignal): Promise<AskGoogle> {
  const access = await googleAccess(ports)
  if (access === undefined) {
    throw new KmsError('KMS_CREDENTIALS', `there is no login for ${GOOGLE_KMS}`, {
      expected: 'GOOGLE_APPLICATION_CREDENTIALS, a login of gcloud, or the account of the machine or of the pod',
    })
  }
  const { token, quotaProject } = access
  const headers = {
    authorization: `Bearer ${token}`,
    ...(quotaProject !== undefined && { 'x-goog-user-project': quotaProject }),
  }
  return async (path, body) => {
    const init = jsonRequest(headers, body, signal)
    return await askService(ports.fetch, { url: `${BASE}${path}`, init, what: GOOGLE_KMS, refusals: REFUSALS })
  }
}

const REFUSALS: RefusalReading = {
  code: ({ error }) => (isJsonObject(error) ? error['status'] : undefined),
  meanings: new Map([
    ['PERMISSION_DENIED', 'KMS_DENIED'],
    ['UNAUTHENTICATED', 'KMS_CREDENTIALS'],
    ['NOT_FOUND', 'KMS_NOT_FOUND'],
    ['ALREADY_EXISTS', 'KMS_EXISTS'],
    // A version that is disabled or destroyed, or a key that has no public one.
    ['FAILED_PRECONDITION', 'KMS_KEY_USAGE'],
    ['RESOURCE_EXHAUSTED', 'KMS_UNREACHABLE'],
    ['UNAVAILABLE', 'KMS_UNREACHABLE'],
    ['DEADLINE_EXCEEDED', 'KMS_UNREACHABLE'],
  ]),
}
