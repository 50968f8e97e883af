/** Who this is to Google: the account of the machine, or of the pod under workload identity. @module */
import { isHttpError } from '../http/http-error.js'
import { readObject, secretIn } from './answers.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts } from './cloud-ports.js'

/** An access token; undefined: this is nobody to Google. */
export async function googleToken({
  machineFetch,
  env,
}: Pick<CloudPorts, 'machineFetch' | 'env'>): Promise<string | undefined> {
  const host = env['GCE_METADATA_HOST'] ?? 'metadata.google.internal'
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`
  const what = 'the metadata server'
  try {
    const response = await machineFetch(url, { headers: { 'metadata-flavor': 'Google' } })
    return secretIn(await readObject(response, what), 'access_token', what)
  } catch (error) {
    // Elsewhere than on Google there is no such host, or another service answers there.
    if (isHttpError(error) || error instanceof CloudError) return undefined
    throw error
  }
}
