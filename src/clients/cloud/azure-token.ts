/** Who this is to Azure: the workload identity of the cluster, or the identity of the machine. @module */
import { isHttpError } from '../http/http-error.js'
import type { FetchInit } from '../http/fetch.js'
import { readObject, secretIn } from './answers.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts } from './cloud-ports.js'

/** What a token is for, and who gives it. */
export interface AzureAudience {
  /** Such as `https://vault.azure.net`: a token is good there and nowhere else. */
  readonly resource: string
  /** Where the directory is, unless the environment says it. */
  readonly authority?: string
}

const AUTHORITY = 'https://login.microsoftonline.com/'

/** A token of the directory; undefined: this is nobody to Azure. @throws CloudError CLOUD_CREDENTIALS */
export async function azureToken(ports: CloudPorts, audience: AzureAudience): Promise<string | undefined> {
  return (await workloadToken(ports, audience)) ?? (await machineToken(ports, audience))
}

/** Workload identity: the cluster projects a token, which the directory trades without any other login. */
async function workloadToken(
  { env, fetch, readText }: CloudPorts,
  { resource, authority = AUTHORITY }: AzureAudience,
): Promise<string | undefined> {
  const { AZURE_CLIENT_ID: client = '', AZURE_TENANT_ID: tenant = '', AZURE_FEDERATED_TOKEN_FILE: file = '' } = env
  if (client === '' || tenant === '' || file === '') return undefined
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client,
    scope: `${resource}/.default`,
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: (await readText(file)).trim(),
  })
  const url = authorityUrl(env['AZURE_AUTHORITY_HOST'] ?? authority, tenant)
  const what = 'the directory of Azure'
  return secretIn(await readObject(await fetch(url, postOf(form)), what), 'access_token', what)
}

/** The identity of the machine, or the one of them that is named. */
async function machineToken(
  { env, machineFetch }: CloudPorts,
  { resource }: AzureAudience,
): Promise<string | undefined> {
  const url = new URL('http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01')
  url.searchParams.set('resource', resource)
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
  throw new CloudError('CLOUD_CREDENTIALS', 'AZURE_AUTHORITY_HOST or AZURE_TENANT_ID cannot be used', {
    expected: 'an https address, and the id of a directory',
  })
}

/** A form, as token services take it. What is in it is for them alone. */
export function postOf(form: URLSearchParams): FetchInit {
  const headers = { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' }
  return { method: 'POST', headers, body: form.toString(), repeatable: true, redirect: 'error' }
}
