/** Logins for Google's registries: the account of the machine, or of the pod under workload identity. @module */
import { isHttpError } from '../../http/http-error.js'
import { ANONYMOUS, type Credentials } from '../credentials.js'
import { readObject, secretIn } from './answers.js'
import type { CloudPorts } from './cloud-ports.js'
import { RegistryError } from '../registry-error.js'

/** `gcr.io` with its regions, and the Artifact Registry. */
export const GOOGLE_HOST: RegExp = /^(?:[\w-]+\.)?gcr\.io$|^[\w-]+-docker\.pkg\.dev$/

/** Public images need no login, so a machine that gives none is anonymous. */
export async function googleLogin({ machineFetch, env }: CloudPorts): Promise<Credentials> {
  const host = env['GCE_METADATA_HOST'] ?? 'metadata.google.internal'
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`
  const what = 'the metadata server'
  try {
    const response = await machineFetch(url, { headers: { 'metadata-flavor': 'Google' } })
    const password = secretIn(await readObject(response, what), 'access_token', what)
    return { kind: 'basic', username: 'oauth2accesstoken', password }
  } catch (error) {
    // Elsewhere than on Google there is no such host, or another service answers there.
    if (isHttpError(error) || error instanceof RegistryError) return ANONYMOUS
    throw error
  }
}
