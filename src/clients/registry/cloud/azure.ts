/** Logins for the Azure Container Registry. @module */
import { postOf, readObject, secretIn } from '../../cloud/answers.js'
import { azureToken } from '../../cloud/azure-token.js'
import type { CloudPorts } from '../../cloud/cloud-ports.js'
import { ANONYMOUS, type Credentials } from '../credentials.js'

/** `NAME.azurecr.io` and those of the other Azures. */
export const AZURE_HOST: RegExp = /^[a-z0-9]{5,50}(?:-[a-z0-9]+)?\.azurecr\.(?:io|cn|us)$/

/** What the token has to be for: the registries alone, not all of Azure's management. */
const AUDIENCE = { resource: 'https://containerregistry.azure.net' }

/** Trades a token of the directory for one of the registry. */
export async function azureLogin(ports: CloudPorts, registry: string): Promise<Credentials> {
  const token = await azureToken(ports, AUDIENCE)
  if (token === undefined) return ANONYMOUS
  const form = new URLSearchParams({ grant_type: 'access_token', service: registry, access_token: token })
  const response = await ports.fetch(`https://${registry}/oauth2/exchange`, postOf(form))
  // Whom the registry does not know may still read what is open to everybody.
  if (response.status === 401 || response.status === 403) return ANONYMOUS
  const answer = await readObject(response, registry)
  return { kind: 'identity-token', token: secretIn(answer, 'refresh_token', registry) }
}
