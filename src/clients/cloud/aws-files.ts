/** AWS' shared files: `~/.aws/config`, and `~/.aws/credentials`, which comes before it. @module */
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { type IniFile, type IniSection, parseIni } from './aws-ini.js'
import { CloudError } from './cloud-error.js'
import type { CloudPorts, UserPorts } from './cloud-ports.js'

export interface AwsFiles {
  readonly profiles: ReadonlyMap<string, IniSection>
  /** Sections `[sso-session NAME]`. */
  readonly sessions: ReadonlyMap<string, IniSection>
}

/** The profile that is meant, and whether somebody chose it. */
export function chosenProfile({ env }: Pick<CloudPorts, 'env'>): { readonly name: string; readonly chosen: boolean } {
  const name = [env['AWS_PROFILE'], env['AWS_DEFAULT_PROFILE']].find((each) => each !== undefined && each !== '')
  return { name: name ?? 'default', chosen: name !== undefined }
}

/** A file that is not there says nothing. @throws CloudError CLOUD_SETTINGS */
export async function loadAwsFiles({ env }: Pick<CloudPorts, 'env'>, user: UserPorts): Promise<AwsFiles> {
  const read = async (variable: string, name: string): Promise<IniFile> => {
    const named = env[variable] ?? ''
    if (named === '' && user.homeFolder === undefined) return new Map()
    const path = named === '' ? `${user.homeFolder ?? ''}/.aws/${name}` : named
    const bytes = await user.readFile(path)
    return bytes === undefined ? new Map() : parseIni(textOf(bytes, path), path)
  }
  const [config, credentials] = await Promise.all([
    read('AWS_CONFIG_FILE', 'config'),
    read('AWS_SHARED_CREDENTIALS_FILE', 'credentials'),
  ])
  const profiles = new Map<string, IniSection>()
  const sessions = new Map<string, IniSection>()
  // In the one file profiles are called that, but for the one that need not be; it may be.
  for (const [title, section] of config) {
    const [, kind, name = ''] = /^(profile|sso-session) (.+)$/s.exec(title) ?? []
    if (kind === 'sso-session') sessions.set(name, section)
    else if (kind === 'profile') profiles.set(name, section)
    else if (title === 'default' && !config.has('profile default')) profiles.set(title, section)
  }
  for (const [name, section] of credentials) {
    if (!name.startsWith('profile ')) profiles.set(name, merged(profiles.get(name), section))
  }
  return { profiles, sessions }
}

const KEYS = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'] as const

/** A key is taken whole: a token of the one file does not go with a key of the other. */
function merged(below: IniSection = new Map(), above: IniSection): IniSection {
  const result = new Map(below)
  if (above.has('aws_access_key_id') || above.has('aws_secret_access_key')) for (const name of KEYS) result.delete(name)
  for (const [name, value] of above) result.set(name, value)
  return result
}

function textOf(bytes: Uint8Array, path: string): string {
  try {
    return decodeUtf8(bytes)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CloudError('CLOUD_SETTINGS', `${path} is not text`, { expected: 'UTF-8' })
  }
}
