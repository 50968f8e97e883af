/** Logins for the Azure Container Registry. @module */
import { isHttpError } from '../../http/http-error.js'
import { ANONYMOUS, type Credentials } from '../credentials.js'
import { RegistryError } from '../registry-error.js'
import { readObject, secretIn } from './answers.js'
import type { CloudPorts } from './cloud-ports.js'

/** `NAME.azurecr.io` and those of the other Azures. */
export const AZURE_HOST: RegExp = /^[a-z0-9]{5,50}(?:-[a-z0-9]+)?\.azurecr\.(?:io|cn|us)$/

/** What the token has to be for: the registries alone, not all of Azure's management. */
const AUDIENCE = 'https://containerregistry.azure.net'

/** Trades a token of the directory for one of the registry. */
export async function azureLogin(ports: CloudPorts, registry: string): Promise<Credentials> {
  const token = (await workloadToken(ports)) ?? (await machineToken(ports))
  if (token === undefined) return ANONYMOUS
  const form = new URLSearchParams({ grant_type: 'access_token', service: registry, access_token: token })
  const response = await ports.fetch(`https://${registry}/oauth2/exchange`, postOf(form))
  // Whom the registry does not know may still read what is open to everybody.
  if (response.status === 401 || response.status === 403) return ANONYMOUS
  const answer = await readObject(response, registry)
  return { kind: 'identity-token', token: secretIn(answer, 'refresh_token', registry) }
}

/** Workload identity: the cluster projects a token, which the directory trades without any other login. */
async function workloadToken({ env, fetch, readText }: CloudPorts): Promise<string | undefined> {
  const { AZURE_CLIENT_ID: client = '', AZURE_TENANT_ID: tenant = '', AZURE_FEDERATED_TOKEN_FILE: file = '' } = env
  if (client === '' || tenant === '' || file === '') return undefined
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client,
    scope: `${AUDIENCE}/.default`,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: (await readText(file)).trim(),
  })
  const url = authorityUrl(env['AZURE_AUTHORITY_HOST'] ?? 'https://login.microsoftonline.com/', tenant)
  const what = 'the directory of Azure'
  return secretIn(await readObject(await fetch(url, postOf(form)), what), 'access_token', what)
}

/** The identity of the machine, or the one of them that is named. */
async function machineToken({ env, machineFetch }: CloudPorts): Promise<string | undefined> {
  const url = new URL('http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01')
  url.searchParams.set('resource', AUDIENCE)
  const { AZURE_CLIENT_ID: client = '' } = env
  if (client !== '') url.searchParams.set('client_id', client)
  const what = 'the metadata service of this machine'
  try {
    const response = await machineFetch(url.href, { headers: { metadata: 'true' } })
    // A machine without an identity; and elsewhere than on Azure another service may answer there.
    if (response.status === 400 || response.status === 404) return undefined
    return secretIn(await readObject(response, what), 'access_token', what)
  } catch (error) {
    if (isHttpError(error)) return undefined
    throw error
  }
}

function authorityUrl(authority: string, tenant: string): string {
  const url = URL.canParse(authority) ? new URL(authority) : undefined
  if (url?.protocol === 'https:' && /^[\w.-]{1,253}$/.test(tenant))
    return new URL(`${tenant}/oauth2/v2.0/token`, url).href
  throw new RegistryError('REGISTRY_CREDENTIALS', 'AZURE_AUTHORITY_HOST or AZURE_TENANT_ID cannot be used', {
    expected: 'an https address, and the id of a directory',
  })
}

function postOf(form: URLSearchParams): Parameters<CloudPorts['fetch']>[1] {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  return { method: 'POST', headers, body: form.toString(), repeatable: true }
}
