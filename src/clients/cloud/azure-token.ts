/**
 * Who this is to Azure, in the order of its own clients (DefaultAzureCredential): an application that the environment names, the
 * workload identity of the cluster, the identity of the machine, the login of the Azure CLI.
 *
 * @module
 */
import { isHttpError } from '../http/http-error.js'
import { postOf, readObject, secretIn } from './answers.js'
import { cliToken } from './azure-cli.js'
import { certificateAssertion } from './azure-certificate.js'
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

type Source = (ports: CloudPorts, audience: AzureAudience) => Promise<string | undefined>

const DEPLOYED: readonly Source[] = [environmentToken, workloadToken, machineToken]
const CHOSEN_CLI: Source = (ports, { resource }) => cliToken(ports, resource, true)
const DEFAULT: readonly Source[] = [...DEPLOYED, (ports, { resource }) => cliToken(ports, resource, false)]

/** What `AZURE_TOKEN_CREDENTIALS` may say, in any case. */
const CHOICES: ReadonlyMap<string, readonly Source[]> = new Map([
  ['', DEFAULT],
  ['prod', DEPLOYED],
  ['dev', [CHOSEN_CLI]],
  ['environmentcredential', [environmentToken]],
  ['workloadidentitycredential', [workloadToken]],
  ['managedidentitycredential', [machineToken]],
  ['azureclicredential', [CHOSEN_CLI]],
])

/** A token of the directory; undefined: this is nobody to Azure. @throws CloudError */
export async function azureToken(ports: CloudPorts, audience: AzureAudience): Promise<string | undefined> {
  const sources = CHOICES.get((ports.env['AZURE_TOKEN_CREDENTIALS'] ?? '').toLowerCase())
  if (sources === undefined) {
    throw new CloudError('CLOUD_SETTINGS', 'AZURE_TOKEN_CREDENTIALS names no login that there is here', {
      expected:
        'prod, dev, EnvironmentCredential, WorkloadIdentityCredential, ManagedIdentityCredential or AzureCLICredential',
    })
  }
  for (const source of sources) {
    const found = await source(ports, audience)
    if (found !== undefined) return found
  }
  return undefined
}

/** An application, with its secret or its certificate. */
async function environmentToken(ports: CloudPorts, audience: AzureAudience): Promise<string | undefined> {
  const { AZURE_CLIENT_ID: client = '', AZURE_TENANT_ID: tenant = '', ...env } = ports.env
  const { AZURE_CLIENT_SECRET: secret = '', AZURE_CLIENT_CERTIFICATE_PATH: path = '' } = env
  if (client === '' || tenant === '' || (secret === '' && path === '')) return undefined
  const application = { client, url: directoryUrl(ports, audience) }
  const proof =
    secret !== '' ? { client_secret: secret } : assertionOf(await certificateAssertion(ports, application, path))
  return await askDirectory(ports, { ...application, resource: audience.resource, proof })
}

/** Workload identity: the cluster projects a token, which the directory trades without any other login. */
async function workloadToken(ports: CloudPorts, audience: AzureAudience): Promise<string | undefined> {
  const { env, readText } = ports
  const { AZURE_CLIENT_ID: client = '', AZURE_TENANT_ID: tenant = '', AZURE_FEDERATED_TOKEN_FILE: file = '' } = env
  if (client === '' || tenant === '' || file === '') return undefined
  const proof = assertionOf((await readText(file)).trim())
  return await askDirectory(ports, { client, url: directoryUrl(ports, audience), resource: audience.resource, proof })
}

function assertionOf(assertion: string): Readonly<Record<string, string>> {
  return {
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  }
}

interface DirectoryQuestion {
  readonly url: string
  readonly client: string
  readonly resource: string
  /** What proves that this is the client. A secret. */
  readonly proof: Readonly<Record<string, string>>
}

async function askDirectory(
  { fetch }: CloudPorts,
  { url, client, resource, proof }: DirectoryQuestion,
): Promise<string> {
  const form = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: client,
    scope: `${resource}/.default`,
    ...proof,
  })
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
    const response = await machineFetch(url.href, { headers: { metadata: 'true' }, redirect: 'error' })
    // A machine without an identity; and elsewhere than on Azure another service may answer there.
    if (response.status === 400 || response.status === 404) return undefined
    return secretIn(await readObject(response, what), 'access_token', what)
  } catch (error) {
    if (isHttpError(error)) return undefined
    throw error
  }
}

/** Whoever sets the environment runs this, and wrote the secret beside the host: clouds of one's own have directories of their own. */
function directoryUrl({ env }: CloudPorts, { authority = AUTHORITY }: AzureAudience): string {
  const { AZURE_AUTHORITY_HOST: host = authority, AZURE_TENANT_ID: tenant = '' } = env
  const url = URL.canParse(host) ? new URL(host) : undefined
  if (url?.protocol === 'https:' && /^[\w.-]{1,253}$/.test(tenant))
    return new URL(`${tenant}/oauth2/v2.0/token`, url).href
  throw new CloudError('CLOUD_CREDENTIALS', 'AZURE_AUTHORITY_HOST or AZURE_TENANT_ID cannot be used', {
    expected: 'an https address, and the id of a directory',
  })
}
