/**
 * Who this is to Google, in the order of its own clients (Application Default Credentials): the file that is named, the file of
 * gcloud, the account of the machine or of the pod under workload identity.
 *
 * @module
 */
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { isHttpError } from '../http/http-error.js'
import { readObject, secretIn } from './answers.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts, UserPorts } from './cloud-ports.js'
import { parseGoogleFile } from './google-credentials.js'
import { googleGrant } from './google-grants.js'

export interface GoogleAccess {
  readonly token: string
  /** Which project the request is counted on; a person's login has none of its own. */
  readonly quotaProject: string | undefined
}

/** An access token; undefined: this is nobody to Google. @throws CloudError if a file is there and gives none */
export async function googleToken(ports: CloudPorts): Promise<string | undefined> {
  return (await googleAccess(ports))?.token
}

/** As {@link googleToken}, for requests to services that count them. */
export async function googleAccess(ports: CloudPorts): Promise<GoogleAccess | undefined> {
  const { user, env } = ports
  const file = user === undefined ? undefined : await findFile(env, user)
  if (user !== undefined && file !== undefined) {
    const { credentials, quotaProject } = parseGoogleFile(file.bytes, file.path)
    const key = `google ${encodeHex(sha256(file.bytes))}`
    const { token } = await user.logins.get(key, () => googleGrant(ports, credentials))
    return { token, quotaProject: env['GOOGLE_CLOUD_QUOTA_PROJECT'] || quotaProject }
  }
  const token = await machineToken(ports)
  return token === undefined ? undefined : { token, quotaProject: undefined }
}

interface FoundFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** One that is named and not there is an error: another login than was meant would be taken. */
async function findFile(env: CloudPorts['env'], user: UserPorts): Promise<FoundFile | undefined> {
  const { GOOGLE_APPLICATION_CREDENTIALS: named = '', CLOUDSDK_CONFIG: folder = '' } = env
  const path = named === '' ? wellKnownFile(folder, user.homeFolder) : named
  const bytes = path === undefined ? undefined : await user.readFile(path)
  if (path !== undefined && bytes !== undefined) return { path, bytes }
  if (named === '') return undefined
  throw new CloudError('CLOUD_SETTINGS', `${named} is not there, which GOOGLE_APPLICATION_CREDENTIALS names`, {
    expected: 'a JSON file',
  })
}

function wellKnownFile(folder: string, home: string | undefined): string | undefined {
  const name = 'application_default_credentials.json'
  if (folder !== '') return `${folder}/${name}`
  return home === undefined ? undefined : `${home}/.config/gcloud/${name}`
}

async function machineToken({
  machineFetch,
  env,
}: Pick<CloudPorts, 'machineFetch' | 'env'>): Promise<string | undefined> {
  const host = env['GCE_METADATA_HOST'] ?? 'metadata.google.internal'
  const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`
  const what = 'the metadata server'
  try {
    const response = await machineFetch(url, { headers: { 'metadata-flavor': 'Google' }, redirect: 'error' })
    return secretIn(await readObject(response, what), 'access_token', what)
  } catch (error) {
    // Elsewhere than on Google there is no such host, or another service answers there.
    if (isHttpError(error) || error instanceof CloudError) return undefined
    throw error
  }
}
