/** Who this is to AWS by where it runs: the environment, a role of the service account, the container, the machine. @module */
import { isHttpError } from '../http/http-error.js'
import { readAnswer, readObject, secretIn } from './answers.js'
import { environmentRegion } from './aws-endpoints.js'
import type { AwsCredentials } from './aws-signature.js'
import { assumeRoleWithWebIdentity, DEFAULT_SESSION } from './aws-sts.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts } from './cloud-ports.js'

/** Keys in variables. */
export async function fromEnvironment({ env }: CloudPorts): Promise<AwsCredentials | undefined> {
  const { AWS_ACCESS_KEY_ID: id = '', AWS_SECRET_ACCESS_KEY: secret = '', AWS_SESSION_TOKEN: token = '' } = env
  if (id === '' || secret === '') return undefined
  return { accessKeyId: id, secretAccessKey: secret, sessionToken: token === '' ? undefined : token }
}

/** A role of the service account (IRSA): the cluster projects a token, which STS trades without any other login. */
export async function fromWebIdentity(
  ports: CloudPorts,
  place: { readonly region: string },
): Promise<AwsCredentials | undefined> {
  const { env } = ports
  const { AWS_WEB_IDENTITY_TOKEN_FILE: file = '', AWS_ROLE_ARN: arn = '', AWS_ROLE_SESSION_NAME: session = '' } = env
  if (file === '') return undefined
  if (arn === '') {
    throw new CloudError('CLOUD_SETTINGS', 'AWS_WEB_IDENTITY_TOKEN_FILE is set without a role', {
      expected: 'AWS_ROLE_ARN',
    })
  }
  const region = environmentRegion(env) ?? place.region
  const role = { arn, sessionName: session === '' ? DEFAULT_SESSION : session }
  return await assumeRoleWithWebIdentity(ports, { role, region }, file)
}

/** EKS Pod Identity, and ECS. */
export async function fromContainer({ env, machineFetch, readText }: CloudPorts): Promise<AwsCredentials | undefined> {
  const { AWS_CONTAINER_CREDENTIALS_RELATIVE_URI: path = '', AWS_CONTAINER_CREDENTIALS_FULL_URI: full = '' } = env
  const url = path.startsWith('/') ? `http://169.254.170.2${path}` : full
  if (url === '') return undefined
  const { AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: file = '', AWS_CONTAINER_AUTHORIZATION_TOKEN: given = '' } = env
  const token = file === '' ? given : (await readText(file)).trim()
  const headers = token === '' ? {} : { authorization: token }
  const response = await machineFetch(checkAgent(url), { headers, redirect: 'error' })
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
export async function fromMachine({ env, machineFetch }: CloudPorts): Promise<AwsCredentials | undefined> {
  if (env['AWS_EC2_METADATA_DISABLED']?.toLowerCase() === 'true') return undefined
  const what = 'the metadata service of this machine'
  try {
    const session = await machineFetch(`${METADATA}/api/token`, {
      method: 'PUT',
      headers: { 'x-aws-ec2-metadata-token-ttl-seconds': '300' },
      redirect: 'error',
    })
    const headers = { 'x-aws-ec2-metadata-token': (await readAnswer(session, what)).trim() }
    const init = { headers, redirect: 'error' } as const
    const roles = await machineFetch(`${METADATA}/meta-data/iam/security-credentials/`, init)
    if (roles.status === 404) return undefined
    const [role = ''] = (await readAnswer(roles, what)).trim().split('\n')
    const path = `${METADATA}/meta-data/iam/security-credentials/${encodeURIComponent(role.trim())}`
    return await credentialsIn(await machineFetch(path, init), what)
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
