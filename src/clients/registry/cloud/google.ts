/** Logins for Google's registries. @module */
import { googleToken } from '../../cloud/google-token.js'
import type { CloudPorts } from '../../cloud/cloud-ports.js'
import { ANONYMOUS, type Credentials } from '../credentials.js'

/** `gcr.io` with its regions, and the Artifact Registry. */
export const GOOGLE_HOST: RegExp = /^(?:[\w-]+\.)?gcr\.io$|^[\w-]+-docker\.pkg\.dev$/

/** Public images need no login, so a machine that gives none is anonymous. */
export async function googleLogin(ports: CloudPorts): Promise<Credentials> {
  const password = await googleToken(ports)
  return password === undefined ? ANONYMOUS : { kind: 'basic', username: 'oauth2accesstoken', password }
}
