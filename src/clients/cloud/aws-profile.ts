/** One profile of AWS' shared files: where its login comes from, and which role that takes. @module */
import { regionName } from './aws-endpoints.js'
import type { IniSection } from './aws-ini.js'
import type { AwsCredentials } from './aws-signature.js'
import { type AwsRole, DEFAULT_SESSION } from './aws-sts.js'
import { CloudError } from './cloud-error.js'

/** A login of IAM Identity Center, which `aws sso login` keeps. */
export interface SsoLogin {
  /** What the file with the token is named by: the session, or in the old form the start page. */
  readonly name: string
  readonly region: string
  readonly accountId: string
  readonly roleName: string
}

export type AwsSource =
  | { readonly kind: 'keys'; readonly credentials: AwsCredentials }
  | { readonly kind: 'profile'; readonly name: string }
  | { readonly kind: 'surroundings'; readonly name: Surroundings }
  | { readonly kind: 'web-identity'; readonly tokenFile: string }
  | { readonly kind: 'sso'; readonly login: SsoLogin }
  /** A command line that has not been taken apart. */
  | { readonly kind: 'process'; readonly command: string }

/** As `credential_source` spells them. */
export type Surroundings = 'Environment' | 'Ec2InstanceMetadata' | 'EcsContainer'

export interface AwsProfile {
  readonly region: string | undefined
  /** Undefined: the profile says nothing of logins. */
  readonly source: AwsSource | undefined
  /** What the login of the source is for. */
  readonly role: AwsRole | undefined
}

/** What profiles refer to besides each other. */
export type SsoSessions = ReadonlyMap<string, IniSection>

/**
 * The first source in the order of AWS' own client for Go (`resolveCredsFromProfile`), which also says what cannot stand together.
 * @throws CloudError CLOUD_SETTINGS
 */
export function readProfile(name: string, section: IniSection, sessions: SsoSessions): AwsProfile {
  const reader = settingsOf(`the profile ${name.slice(0, 60)}`, section)
  const source = readSource(reader, sessions)
  const role = readRole(reader)
  if (role !== undefined && source === undefined) throw reader.incomplete(`role_arn needs one of ${ROLE_SOURCES}`)
  if (role === undefined && (source?.kind === 'profile' || source?.kind === 'surroundings'))
    throw reader.incomplete('source_profile and credential_source need role_arn')
  if (role === undefined && source?.kind === 'web-identity')
    throw reader.incomplete('web_identity_token_file needs role_arn')
  return { region: reader.matching('region', REGION, 'the name of a region'), source, role }
}

/**
 * A profile that is the source of another: its keys come before the profile that it has for a source itself.
 * @throws CloudError CLOUD_SETTINGS
 */
export function readSourceProfile(name: string, section: IniSection, sessions: SsoSessions): AwsProfile {
  const profile = readProfile(name, section, sessions)
  const own = profile.source?.kind === 'profile' ? readOwnSource(name, section, sessions) : undefined
  return own?.kind === 'keys' ? { ...profile, source: own } : profile
}

/** What a profile that names itself as its source gives: all but the role. @throws CloudError CLOUD_SETTINGS */
export function readOwnSource(name: string, section: IniSection, sessions: SsoSessions): AwsSource | undefined {
  const own = new Map(section)
  own.delete('source_profile')
  return readSource(settingsOf(`the profile ${name.slice(0, 60)}`, own), sessions)
}

const REGION = /^[a-z0-9-]{1,40}$/

interface Settings {
  /** Undefined: not set, or set to nothing. */
  readonly get: (name: string) => string | undefined
  /** As {@link get}; a value of another form is refused. */
  readonly matching: (name: string, form: RegExp, expected: string) => string | undefined
  readonly incomplete: (expected: string) => CloudError
}

function settingsOf(what: string, section: IniSection): Settings {
  const get = (name: string): string | undefined => section.get(name) || undefined
  return {
    get,
    matching: (name, form, expected) => {
      const value = get(name)
      if (value === undefined || form.test(value)) return value
      throw new CloudError('CLOUD_SETTINGS', `${what}: ${name} cannot be used`, { expected })
    },
    incomplete: (expected) => new CloudError('CLOUD_SETTINGS', `${what} does not say a whole login`, { expected }),
  }
}

const ROLE_SOURCES = 'source_profile, credential_source, web_identity_token_file'
const ALONE = ['source_profile', 'credential_source', 'credential_process', 'web_identity_token_file'] as const
const TEXT = /^[\x21-\x7e]+$/

function readSource(settings: Settings, sessions: SsoSessions): AwsSource | undefined {
  if (ALONE.filter((name) => settings.get(name) !== undefined).length > 1)
    throw settings.incomplete(`one of ${ALONE.join(', ')}`)
  const profile = settings.get('source_profile')
  if (profile !== undefined) return { kind: 'profile', name: profile }
  const credentials = readKeys(settings)
  if (credentials !== undefined) return { kind: 'keys', credentials }
  const place = settings.matching('credential_source', SURROUNDINGS, 'Environment, Ec2InstanceMetadata or EcsContainer')
  // Sound: that is what the form takes.
  if (place !== undefined) return { kind: 'surroundings', name: place as Surroundings }
  const tokenFile = settings.get('web_identity_token_file')
  if (tokenFile !== undefined) return { kind: 'web-identity', tokenFile }
  const login = readSso(settings, sessions)
  if (login !== undefined) return { kind: 'sso', login }
  if (settings.get('login_session') !== undefined) throw unsupported('login_session')
  const command = settings.get('credential_process')
  return command === undefined ? undefined : { kind: 'process', command }
}

const SURROUNDINGS = /^(?:Environment|Ec2InstanceMetadata|EcsContainer)$/

/** Half of a key is no reason to take another login. */
function readKeys(settings: Settings): AwsCredentials | undefined {
  const accessKeyId = settings.matching('aws_access_key_id', TEXT, 'the id of a key')
  const secretAccessKey = settings.matching('aws_secret_access_key', TEXT, 'the secret of a key')
  const sessionToken = settings.matching('aws_session_token', TEXT, 'a token')
  if (accessKeyId === undefined && secretAccessKey === undefined) return undefined
  if (accessKeyId === undefined || secretAccessKey === undefined)
    throw settings.incomplete('aws_access_key_id and aws_secret_access_key')
  return { accessKeyId, secretAccessKey, sessionToken }
}

const SSO = ['sso_session', 'sso_start_url', 'sso_region', 'sso_account_id', 'sso_role_name'] as const

function readSso(settings: Settings, sessions: SsoSessions): SsoLogin | undefined {
  if (SSO.every((name) => settings.get(name) === undefined)) return undefined
  const accountId = settings.matching('sso_account_id', /^\d{12}$/, 'twelve digits')
  const roleName = settings.matching('sso_role_name', /^[\w+=,.@-]{1,64}$/, 'the name of a role')
  const session = settings.get('sso_session')
  const page = settings.get('sso_start_url')
  const own = settings.get('sso_region')
  const section = session === undefined ? undefined : sessions.get(session)
  if (session !== undefined && section === undefined)
    throw settings.incomplete(`a section [sso-session ${session.slice(0, 60)}]`)
  const differs = (name: string, value: string | undefined): boolean =>
    section !== undefined && value !== undefined && section.get(name) !== value
  if (differs('sso_region', own) || differs('sso_start_url', page))
    throw settings.incomplete('sso_region and sso_start_url as in the section of sso_session')
  const name = session ?? page
  const region = regionName(section === undefined ? own : section.get('sso_region'))
  if (name === undefined || region === undefined || accountId === undefined || roleName === undefined)
    throw settings.incomplete('sso_session or sso_start_url, sso_region, sso_account_id and sso_role_name')
  return { name, region, accountId, roleName }
}

/** What the service takes (AssumeRole, in the reference of its API). */
function readRole(settings: Settings): AwsRole | undefined {
  const arn = settings.matching('role_arn', /^arn:[\x21-\x7e]{16,2044}$/, 'the ARN of a role')
  if (arn === undefined) return undefined
  if (settings.get('mfa_serial') !== undefined) throw unsupported('mfa_serial')
  const session = settings.matching('role_session_name', /^[\w+=,.@-]{2,64}$/, '2 to 64 letters, digits and +=,.@-_')
  const seconds = settings.matching('duration_seconds', /^\d{3,5}$/, 'seconds, from 900 to 43200')
  if (seconds !== undefined && (Number(seconds) < 900 || Number(seconds) > 43_200))
    throw settings.incomplete('duration_seconds from 900 to 43200')
  return {
    arn,
    sessionName: session ?? DEFAULT_SESSION,
    externalId: settings.matching('external_id', /^[\w+=,.@:/-]{2,1224}$/, '2 letters or more, digits and +=,.@:/-_'),
    seconds: seconds === undefined ? undefined : Number(seconds),
  }
}

/** Nobody is asked for a code here, and the files of other tools are not rewritten. */
function unsupported(name: string): CloudError {
  return new CloudError('CLOUD_SETTINGS', `${name} in a profile of AWS is not supported`, {
    expected: `a profile without ${name}`,
    hint: 'run "aws configure export-credentials --format env" for this profile, and use what it gives',
  })
}
