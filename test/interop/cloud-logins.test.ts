/**
 * Logins of AWS as people have them: cosign, whose client is AWS' own, and countersign take the same one out of the same files. The key
 * service lets in one key only, so whoever reads the files otherwise is refused.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { generatePrivateKey } from '#crypto/private-key'
import type { Handler } from '#serving/handler'
import { serve } from '#serving/serve'
import type { RunningServer } from '#serving/serve'
import { AWS_LOGIN, emptyKeys, fakeServices } from '#testing/kms/fake-services'
import { run } from './processes.js'

const COUNTERSIGN = resolve(import.meta.dirname, '../../../bin/countersign')
const ID = '1234abcd-12ab-34cd-56ef-1234567890ab'
const ARN = 'arn:aws:kms:eu-central-1:111122223333:alias/release'
const { AWS_ACCESS_KEY_ID: GOOD_ID, AWS_SECRET_ACCESS_KEY: GOOD_SECRET } = AWS_LOGIN
const GOOD = `aws_access_key_id = ${GOOD_ID}\naws_secret_access_key = ${GOOD_SECRET}\n`
const OTHER = 'aws_access_key_id = AKIDOTHER\naws_secret_access_key = other-word\n'
const BASE = 'aws_access_key_id = AKIDBASE\naws_secret_access_key = base-word\n'
const ROLE = 'role_arn = arn:aws:iam::111122223333:role/release\n'
const SSO = 'sso_account_id = 111122223333\nsso_role_name = Release\n'
const PORTAL = 'sso_start_url = https://corp.awsapps.com/start\nsso_region = eu-central-1\n'

const keys = emptyKeys()
const faults: unknown[] = []
let server: RunningServer

/** Roles for `AKIDBASE` or a token, Identity Center for one token, and the key service for {@link AWS_LOGIN}. */
const services: Handler = async (request) => {
  const url = new URL(request.url)
  if (request.headers.has('x-amz-target')) return await fakeServices(keys)(request)
  if (url.pathname === '/federation/credentials') {
    const isKnown =
      request.headers.get('x-amz-sso_bearer_token') === 'sso-word' && url.searchParams.get('role_name') === 'Release'
    const given = { accessKeyId: GOOD_ID, secretAccessKey: GOOD_SECRET, sessionToken: 'session' }
    const expiration = Date.now() + 3_600_000
    return isKnown ? Response.json({ roleCredentials: { ...given, expiration } }) : new Response('{}', { status: 403 })
  }
  const form = new URLSearchParams(await request.text())
  const isBase = /Credential=(?:AKIDBASE|AKIDMIDDLE)\//.test(request.headers.get('authorization') ?? '')
  const isAllowed = form.get('Action') === 'AssumeRoleWithWebIdentity' ? form.get('WebIdentityToken') === 'jwt' : isBase
  if (!isAllowed) return new Response('<Error><Code>AccessDenied</Code></Error>', { status: 403 })
  const isMiddle = form.get('RoleArn')?.endsWith('/middle') === true
  return new Response(stsAnswer(form.get('Action') ?? '', isMiddle), { headers: { 'content-type': 'text/xml' } })
}

function stsAnswer(action: string, isMiddle: boolean): string {
  const [id, secret] = isMiddle ? ['AKIDMIDDLE', 'middle-word'] : [GOOD_ID, GOOD_SECRET]
  const expires = new Date(Date.now() + 3_600_000).toISOString()
  return `<${action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><${action}Result><Credentials>
    <AccessKeyId>${id}</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>session</SessionToken>
    <Expiration>${expires}</Expiration></Credentials></${action}Result></${action}Response>`
}

before(async () => {
  const onFault = (fault: unknown): void => {
    faults.push(fault)
  }
  server = await serve(services, { host: '127.0.0.1', port: 0, onFault })
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  for (const name of [ID, 'alias/release']) keys.aws.set(name, { id: ID, key })
})
after(async () => {
  await server.close(0)
  assert.deepEqual(faults, [])
})

interface Machine {
  /** By path; `~` and `HOME` are the home folder. Programs begin with `#!`. */
  readonly files: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
}

/** What both of them say of the key, or `refused`. */
async function askBoth({ files, env = {} }: Machine, uri = `awskms:///${ARN}`): Promise<readonly string[]> {
  const home = await mkdtemp(join(tmpdir(), 'logins-'))
  try {
    const placed = (text: string): string => text.replaceAll('HOME', home)
    for (const [name, text] of Object.entries(files)) {
      const path = name.replace(/^~/, home)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, placed(text))
      if (text.startsWith('#!')) await chmod(path, 0o700)
    }
    const around = {
      HOME: home,
      // Of the original, where the ARN does not say it to it.
      ...(uri.includes(':eu-central-1:') && { AWS_REGION: 'eu-central-1' }),
      AWS_EC2_METADATA_DISABLED: 'true',
      ...Object.fromEntries(['KMS', 'STS', 'SSO'].map((each) => [`AWS_ENDPOINT_URL_${each}`, server.origin])),
      ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, placed(value)])),
    }
    const said: string[] = []
    for (const program of ['cosign3', COUNTERSIGN]) {
      const { code, stdout } = await run(program, ['public-key', '--key', uri], { env: around })
      said.push(code === 0 ? stdout : 'refused')
    }
    return said
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

const cacheOf = (name: string): string => `~/.aws/sso/cache/${createHash('sha1').update(name).digest('hex')}.json`
const tokenUntil = (expiresAt: string): string => JSON.stringify({ accessToken: 'sso-word', expiresAt })
const VAULT = `#!/bin/sh\necho '${JSON.stringify({ Version: 1, AccessKeyId: GOOD_ID, SecretAccessKey: GOOD_SECRET })}'\n`

const TAKEN: Readonly<Record<string, Machine>> = {
  'keys of ~/.aws/credentials': { files: { '~/.aws/credentials': `[default]\n${GOOD}` } },
  'keys of ~/.aws/config': { files: { '~/.aws/config': `# mine\n[default] ; comment\n${GOOD}` } },
  'credentials before config': {
    files: { '~/.aws/config': `[default]\n${OTHER}`, '~/.aws/credentials': `[default]\n${GOOD}` },
  },
  '[profile default] before [default]': { files: { '~/.aws/config': `[profile default]\n${GOOD}[default]\n${OTHER}` } },
  'the profile that AWS_PROFILE names': {
    files: { '~/.aws/config': `[default]\n${OTHER}[profile release]\n${GOOD}` },
    env: { AWS_PROFILE: 'release' },
  },
  'files elsewhere': {
    files: { '~/c': `[profile a]\nregion = x`, '~/s': `[a]\n${GOOD}`, '~/.aws/credentials': `[a]\n${OTHER}` },
    env: { AWS_CONFIG_FILE: 'HOME/c', AWS_SHARED_CREDENTIALS_FILE: 'HOME/s', AWS_PROFILE: 'a' },
  },
  'keys of the environment before a profile': {
    files: { '~/.aws/credentials': `[default]\n${OTHER}` },
    env: { ...AWS_LOGIN, AWS_PROFILE: 'default' },
  },
  'values in quotes, with comments, and the last of two': {
    files: {
      '~/.aws/credentials': `[default]\n${OTHER}aws_access_key_id = "${GOOD_ID}" # mine\naws_secret_access_key=${GOOD_SECRET}\n`,
    },
  },
  'comments behind spaces and tabs, colons, quotes of the other kind': {
    files: {
      '~/.aws/credentials': `[default]\naws_access_key_id: '${GOOD_ID}'\t;mine\nAWS_SECRET_ACCESS_KEY = ${GOOD_SECRET} #mine\n`,
    },
  },
  'settings that are indented': {
    files: {
      '~/.aws/credentials': `[default]\n  aws_access_key_id = ${GOOD_ID}\n  aws_secret_access_key = ${GOOD_SECRET}\n`,
    },
  },
  'a section that is indented': {
    files: { '~/.aws/credentials': `[a]\n${OTHER}  [default]\n${GOOD}` },
  },
  'a section that comes twice': {
    files: { '~/.aws/credentials': `[default]\n${OTHER}[a]\nregion = x\n[default]\n${GOOD}` },
  },
  'settings of services, which say nothing': {
    files: {
      '~/.aws/config': `[default]\ns3 =\n  max_concurrent_requests = 20\n${GOOD}[services x]\nkms =\n  a = b\n`,
    },
  },
  'a name with spaces': {
    files: { '~/.aws/config': `[profile my team]\n${GOOD}` },
    env: { AWS_PROFILE: 'my team' },
  },
  'a role of another profile': {
    files: { '~/.aws/config': `[default]\n${ROLE}source_profile = a\n[profile a]\n${BASE}` },
  },
  'a role of its own profile': { files: { '~/.aws/config': `[default]\n${ROLE}source_profile = default\n${BASE}` } },
  'a role of a role': {
    files: {
      '~/.aws/config': `[default]\n${ROLE}source_profile = a\n[profile a]\nrole_arn = arn:aws:iam::111122223333:role/middle\nsource_profile = b\n[profile b]\n${BASE}`,
    },
  },
  'a source with keys before its own source': {
    files: {
      '~/.aws/config': `[default]\n${ROLE}source_profile = a\n[profile a]\nrole_arn = arn:aws:iam::111122223333:role/middle\nsource_profile = b\n${BASE}[profile b]\n${OTHER}`,
    },
  },
  'a role for the keys beside it': { files: { '~/.aws/config': `[default]\n${ROLE}${BASE}` } },
  'a role for a token in a file': {
    files: { '~/.aws/config': `[default]\n${ROLE}web_identity_token_file = HOME/token\n`, '~/token': 'jwt' },
  },
  'a token of the environment before a profile': {
    files: { '~/.aws/config': `[default]\n${OTHER}`, '~/token': 'jwt' },
    env: { AWS_WEB_IDENTITY_TOKEN_FILE: 'HOME/token', AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/release' },
  },
  'a program, with quotes': {
    files: { '~/.aws/config': `[default]\ncredential_process = "HOME/a vault" 'x y'\n`, '~/a vault': VAULT },
  },
  'keys before a program': {
    files: { '~/.aws/config': `[default]\n${GOOD}credential_process = /bin/false\n` },
  },
  'Identity Center before a program': {
    files: {
      '~/.aws/config': `[default]\n${SSO}${PORTAL}credential_process = /bin/false\n`,
      [cacheOf('https://corp.awsapps.com/start')]: tokenUntil('2099-01-01T00:00:00Z'),
    },
  },
  'a session of Identity Center': {
    files: {
      '~/.aws/config': `[default]\nsso_session = corp\n${SSO}[sso-session corp]\n${PORTAL}`,
      [cacheOf('corp')]: tokenUntil('2099-01-01T00:00:00Z'),
    },
  },
}

const REFUSED: Readonly<Record<string, Machine>> = {
  'no login': { files: {} },
  'a profile that is not there': { files: { '~/.aws/config': `[default]\n${GOOD}` }, env: { AWS_PROFILE: 'none' } },
  'a profile without its word in config': {
    files: { '~/.aws/config': `[a]\n${GOOD}` },
    env: { AWS_PROFILE: 'a' },
  },
  'a profile with that word in credentials': {
    files: { '~/.aws/credentials': `[profile a]\n${GOOD}` },
    env: { AWS_PROFILE: 'a' },
  },
  'half of a key': { files: { '~/.aws/credentials': `[default]\naws_access_key_id = ${GOOD_ID}\n` } },
  'a sign of comments inside of a value': {
    files: {
      '~/.aws/credentials': `[default]\naws_access_key_id = ${GOOD_ID}\naws_secret_access_key = ${GOOD_SECRET}#x\n`,
    },
  },
  'a value that goes on': {
    files: {
      '~/.aws/credentials': `[default]\naws_access_key_id = ${GOOD_ID}\naws_secret_access_key = ${GOOD_SECRET}\n  x\n`,
    },
  },
  'a token of the environment without a role': {
    files: { '~/.aws/credentials': `[default]\n${GOOD}`, '~/token': 'jwt' },
    env: { AWS_WEB_IDENTITY_TOKEN_FILE: 'HOME/token' },
  },
  'a section without an end': { files: { '~/.aws/credentials': `[default\n${GOOD}` } },
  'a circle': {
    files: {
      '~/.aws/config': `[default]\n${ROLE}source_profile = a\n[profile a]\n${ROLE}source_profile = default\n`,
    },
  },
  'a role for a code': {
    files: { '~/.aws/config': `[default]\n${ROLE}mfa_serial = x\nsource_profile = a\n[profile a]\n${BASE}` },
  },
  'a role that may not be taken': {
    files: { '~/.aws/config': `[default]\n${ROLE}source_profile = a\n[profile a]\n${OTHER}` },
  },
  'two sources': {
    files: {
      '~/.aws/config': `[default]\n${ROLE}source_profile = a\ncredential_process = HOME/vault\n[profile a]\n${BASE}`,
      '~/vault': VAULT,
    },
  },
  'a program that fails': { files: { '~/.aws/config': '[default]\ncredential_process = /bin/false\n' } },
  'a session that has run out': {
    files: {
      '~/.aws/config': `[default]\nsso_session = corp\n${SSO}[sso-session corp]\n${PORTAL}`,
      [cacheOf('corp')]: tokenUntil('2020-01-01T00:00:00Z'),
    },
  },
  'a session without a section': {
    files: {
      '~/.aws/config': `[default]\nsso_session = corp\n${SSO}`,
      [cacheOf('corp')]: tokenUntil('2099-01-01T00:00:00Z'),
    },
  },
}

describe('both take', () => {
  for (const [name, machine] of Object.entries(TAKEN)) {
    test(name, async () => {
      const [theirs = '', ours] = await askBoth(machine)
      assert.match(theirs, /^-----BEGIN PUBLIC KEY-----/)
      assert.equal(ours, theirs)
    })
  }

  test('the region of the profile', async () => {
    const files = { '~/.aws/config': `[default]\nregion = eu-central-1\n${GOOD}` }
    const [theirs = '', ours] = await askBoth({ files }, 'awskms:///alias/release')
    assert.match(theirs, /^-----BEGIN PUBLIC KEY-----/)
    assert.equal(ours, theirs)
  })
})

/** Where cosign takes one, out of files that are not whole. */
const STRICTER: Readonly<Record<string, Machine>> = {
  'a line that is none': { files: { '~/.aws/credentials': `[default]\n${GOOD}what\n` } },
  'a circle with keys in it': {
    files: {
      '~/.aws/config': `[default]\n${ROLE}source_profile = a\n${BASE}[profile a]\nrole_arn = arn:aws:iam::111122223333:role/middle\nsource_profile = default\n`,
    },
  },
  'settings before any section': { files: { '~/.aws/credentials': `region = x\n[default]\n${GOOD}` } },
}

describe('countersign alone refuses', () => {
  for (const [name, machine] of Object.entries(STRICTER)) {
    test(name, async () => {
      const [theirs = '', ours] = await askBoth(machine)
      assert.match(theirs, /^-----BEGIN PUBLIC KEY-----/)
      assert.equal(ours, 'refused')
    })
  }
})

describe('neither takes', () => {
  for (const [name, machine] of Object.entries(REFUSED)) {
    test(name, async () => {
      assert.deepEqual(await askBoth(machine), ['refused', 'refused'])
    })
  }
})
