/** Who this is to AWS, in the order of its own clients: environment, a role for a token of the cluster, the container, the machine. @module */
import { isHttpError } from '../http/http-error.js'
import { CloudError } from './cloud-error.js'
import { readAnswer, readObject, secretIn } from './answers.js'
import type { AwsCredentials } from './aws-signature.js'
import type { CloudPorts } from './cloud-ports.js'

/** A region, and the domain of its part of AWS. */
export interface AwsPlace {
  readonly region: string
  readonly domain: string
}

type Source = (ports: CloudPorts, place: AwsPlace) => Promise<AwsCredentials | undefined>

/** Undefined: this is nobody to AWS. @throws CloudError CLOUD_CREDENTIALS if something is configured and does not work */
export async function awsCredentials(ports: CloudPorts, place: AwsPlace): Promise<AwsCredentials | undefined> {
  for (const source of SOURCES) {
    const found = await source(ports, place)
    if (found !== undefined) return found
  }
  return undefined
}

const SOURCES: readonly Source[] = [fromEnvironment, fromWebIdentity, fromContainer, fromMachine]

async function fromEnvironment({ env }: CloudPorts): Promise<AwsCredentials | undefined> {
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '', AWS_SESSION_TOKEN: token = '' } = env
  if (id === '' || secret === '') return undefined
  return { accessKeyId: id, secretAccessKey: secret, sessionToken: token === '' ? undefined : token }
}

/** A role of the service account (IRSA): the cluster projects a token, which STS trades without any other login. */
async function fromWebIdentity(
  { env, fetch, readText }: CloudPorts,
  place: AwsPlace,
): Promise<AwsCredentials | undefined> {
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file = '', AWS_ROLE_ARN: role = '', AWS_ROLE_SESSION_NAME: session = '' } = env
  if (file === '' || role === '') return undefined
  const region = regionName(env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']) ?? place.region
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: session === '' ? 'countersign' : session,
    WebIdentityToken: (await readText(file)).trim(),
  })
  const response = await fetch(`https://sts.${region}.${place.domain}/`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: form.toString(),
    repeatable: true,
    redirect: 'error',
  })
  const answer = await readAnswer(response, 'the security token service of AWS')
  const element = (name: string): string => elementOf(answer, name)
  return {
    accessKeyId: element('AccessKeyId'),
    secretAccessKey: element('SecretAccessKey'),
    sessionToken: element('SessionToken'),
  }
}

/** STS answers in XML; what is looked for has neither entities nor elements in it. */
function elementOf(xml: string, name: string): string {
  const [, text] = new RegExp(`<${name}>\\s*([A-Za-z0-9+/=_-]+)\\s*</${name}>`).exec(xml) ?? []
  if (text !== undefined) return text
  throw new CloudError('CLOUD_CREDENTIALS', 'the security token service of AWS answered without credentials', {
    expected: name,
  })
}

/** EKS Pod Identity, and ECS. */
async function fromContainer({ env, machineFetch, readText }: CloudPorts): Promise<AwsCredentials | undefined> {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path = '', AWS_CONTAINER_CREDENTIALS_FULL_URI: full = '' } = env
  const url = path.startsWith('/') ? `http://169.254.170.2${path}` : full
  if (url === '') return undefined
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file = '', AWS_CONTAINER_AUTHORIZATION_TOKEN: given = '' } = env
  const token = file === '' ? given : (await readText(file)).trim()
  const response = await machineFetch(checkAgent(url), { headers: token === '' ? {} : { authorization: token } })
  return await credentialsIn(response, 'the agent of this container')
}

/** As AWS' own clients have it: the token of the pod goes to agents of the machine, or over TLS. */
const AGENTS: ReadonlySet<string> = new Set([
  '169.254.170.2',
  '169.254.170.23',
  '[fd00:ec2::23]',
  'localhost',
  '127.0.0.1',
  '[::1]',
])

function checkAgent(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url !== undefined && (url.protocol === 'https:' || (url.protocol === 'http:' && AGENTS.has(url.hostname))))
    return url.href
  throw new CloudError('CLOUD_CREDENTIALS', 'AWS_CONTAINER_CREDENTIALS_FULL_URI is not to be trusted with a token', {
    expected: 'https, or an agent of this machine',
  })
}

const METADATA = 'http://169.254.169.254/latest'

/** The role of the instance, by version 2 of its metadata service: version 1 answers whoever can be made to ask. */
async function fromMachine({ env, machineFetch }: CloudPorts): Promise<AwsCredentials | undefined> {
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined
  const what = 'the metadata service of this machine'
  try {
    const session = await machineFetch(`${METADATA}/api/token`, {
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '300' },
    })
    const headers = { 'x-aws-ec2-metadata-token': (await readAnswer(session, what)).trim() }
    const roles = await machineFetch(`${METADATA}/meta-data/iam/security-credentials/`, { headers })
    if (roles.status === 404) return undefined
    const [role = ''] = (await readAnswer(roles, what)).trim().split('\n')
    const path = `${METADATA}/meta-data/iam/security-credentials/${encodeURIComponent(role.trim())}`
    return await credentialsIn(await machineFetch(path, { headers }), what)
  } catch (error) {
    // Elsewhere than on AWS nobody answers there.
    if (isHttpError(error)) return undefined
    throw error
  }
}

async function credentialsIn(response: Parameters<typeof readObject>[0], what: string): Promise<AwsCredentials> {
  const answer = await readObject(response, what)
  return {
    accessKeyId: secretIn(answer, 'AccessKeyId', what),
    secretAccessKey: secretIn(answer, 'SecretAccessKey', what),
    sessionToken: secretIn(answer, 'Token', what),
  }
}

/** It becomes part of a host name. */
function regionName(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z0-9-]{1,40}$/.test(text) ? text : undefined
}
