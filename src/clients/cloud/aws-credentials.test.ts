import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { CLOUD_NOW, fakeCloud, type FakeCloud, type FakeCloudOptions, formOf } from '#testing/fake-cloud'
import { json, type SeenRequest } from '#testing/fake-fetch'
import { fuzzRuns } from '#testing/fuzz'
import { awsCredentials, awsRegion } from './aws-credentials.js'
import type { AwsCredentials } from './aws-signature.js'

interface Asked extends FakeCloud {
  readonly login: AwsCredentials | undefined
}

async function ask(options: FakeCloudOptions): Promise<Asked> {
  const cloud = fakeCloud(options)
  return { ...cloud, login: await awsCredentials(cloud.ports, { region: 'us-east-1' }) }
}

async function idOf(options: FakeCloudOptions): Promise<string | undefined> {
  return (await ask(options)).login?.accessKeyId
}

/** Every code, and nothing that is secret in any text. */
async function refused(options: FakeCloudOptions, code: string): Promise<void> {
  await assert.rejects(ask(options), (error) => {
    assert.ok(isCodedError(error), String(error))
    assert.equal(error.code, code, error.message)
    const said = [error.message, error.expected, error.found, error.hint, String(error.cause)].join(' ')
    return !said.includes('s3cret')
  })
}

type Files = NonNullable<FakeCloudOptions['files']>

const config = (text: string, more: Files = {}): Files => ({
  '~/.aws/config': text,
  ...more,
})
const KEYS = 'aws_access_key_id = AKIDFILE\naws_secret_access_key = s3cret-file\n'
const ROLE = 'role_arn = arn:aws:iam::123456789012:role/release\n'
const IMDS = '169.254.169.254/latest'
const MACHINE = {
  [`PUT ${IMDS}/api/token`]: { body: 'session' },
  [`GET ${IMDS}/meta-data/iam/security-credentials/`]: { body: 'node' },
  [`GET ${IMDS}/meta-data/iam/security-credentials/node`]: json({
    AccessKeyId: 'ASIAMACHINE',
    SecretAccessKey: 's3cret-machine',
    Token: 's3cret-token',
  }),
}
const stsAnswer = (id: string, expires = '2026-01-02T04:04:05Z'): { readonly body: string } => ({
  body: `<R><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>s3cret/sts</SecretAccessKey>
    <SessionToken>s3cret+session=</SessionToken><Expiration>${expires}</Expiration></Credentials></R>`,
})
const STS = 'POST sts.us-east-1.amazonaws.com/'

/** Signature Version 4 from what arrived, apart from the code that made it. */
function isSigned({ url, headers, body }: SeenRequest, secret: string): boolean {
  const [, scope = '', names = '', signature] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      headers['authorization'] ?? '',
    ) ?? []
  const hash = (data: string | Uint8Array): string => createHash('sha256').update(data).digest('hex')
  const values: Record<string, string> = { ...headers, host: url.host }
  const lines = names.split(';').map((name) => `${name}:${values[name] ?? ''}\n`)
  const canonical = ['POST', url.pathname, '', lines.join(''), names, hash(body)].join('\n')
  const toSign = ['AWS4-HMAC-SHA256', headers['x-amz-date'] ?? '', scope, hash(canonical)].join('\n')
  const key = scope
    .split('/')
    .reduce<string | Buffer>((before, part) => createHmac('sha256', before).update(part).digest(), `AWS4${secret}`)
  return names.split(';').includes('host') && createHmac('sha256', key).update(toSign).digest('hex') === signature
}

describe('files that cannot be used', () => {
  for (const [name, files] of [
    ['a file that is none', config('x')],
    ['a file that is not text', { '~/.aws/config': Uint8Array.of(0x5b, 0xff, 0x5d) }],
    ['half of a key', config('[default]\naws_access_key_id = AKID')],
    ['the other half', config('[default]\naws_secret_access_key = s3cret')],
    ['a key of two lines', config('[default]\naws_access_key_id = AKID\naws_secret_access_key = s3cret\n  more')],
    ['a role without a source', config(`[default]\n${ROLE}`)],
    ['a source without a role', config('[default]\nsource_profile = a\n[profile a]\n' + KEYS)],
    ['surroundings without a role', config('[default]\ncredential_source = Environment')],
    ['a web identity without a role', config('[default]\nweb_identity_token_file = /token')],
    ['two sources', config(`[default]\n${ROLE}source_profile = a\ncredential_process = b\n[profile a]\n${KEYS}`)],
    ['a source that is not there', config(`[default]\n${ROLE}source_profile = a`)],
    ['surroundings that there are not', config(`[default]\n${ROLE}credential_source = Elsewhere`)],
    ['a role that is none', config(`[default]\nrole_arn = role\nsource_profile = a\n[profile a]\n${KEYS}`)],
    [
      'a role with a code',
      config(`[default]\n${ROLE}mfa_serial = arn:aws:x\nsource_profile = a\n[profile a]\n${KEYS}`),
    ],
    ['a login of the tool’s own', config('[default]\nlogin_session = arn:aws:iam::123456789012:user/x')],
    ['a session without a section', config('[default]\nsso_session = a\nsso_account_id = 1\nsso_role_name = r')],
    ['a region that is a host', config(`[default]\nregion = evil.example/\n${KEYS}`)],
    ['a login of Identity Center in pieces', config('[default]\nsso_start_url = https://x.awsapps.com/start')],
  ] as const) {
    test(name, async () => {
      await refused({ files, answers: MACHINE }, 'CLOUD_SETTINGS')
    })
  }

  for (const [setting, value] of [
    ['duration_seconds', 'x'],
    ['duration_seconds', '899'],
    ['duration_seconds', '43201'],
    ['role_session_name', 'x'],
    ['role_session_name', 'a b'],
    ['external_id', 'a\n  b'],
  ] as const) {
    test(`a role with ${setting} ${JSON.stringify(value)}`, async () => {
      const text = `[default]\n${ROLE}source_profile = a\n${setting} = ${value}\n[profile a]\n${KEYS}`
      await refused({ files: config(text) }, 'CLOUD_SETTINGS')
    })
  }

  test('a token of the environment without a role', async () => {
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE: '/token' }
    await refused({ env, files: config(`[default]\n${KEYS}`, { '/token': 'jwt' }) }, 'CLOUD_SETTINGS')
  })

  test('a profile that was asked for is there, or it is an error', async () => {
    await refused({ env: { AWS_PROFILE: 'other' }, answers: MACHINE }, 'CLOUD_SETTINGS')
    await refused({ env: { AWS_PROFILE: 'a' }, files: config(`[a]\n${KEYS}`) }, 'CLOUD_SETTINGS')
    const credentials = { '~/.aws/credentials': `[profile a]\n${KEYS}` }
    await refused({ env: { AWS_PROFILE: 'a' }, files: credentials }, 'CLOUD_SETTINGS')
  })

  for (const [name, text] of [
    ['of two', `[default]\n${ROLE}source_profile = a\n[profile a]\n${ROLE}source_profile = default`],
    [
      'behind others',
      `[default]\n${ROLE}source_profile = a\n[profile a]\n${ROLE}source_profile = b\n[profile b]\n${ROLE}source_profile = a`,
    ],
  ] as const) {
    test(`a circle ${name}`, async () => {
      const { network, ports } = fakeCloud({ files: config(text), answers: { [STS]: stsAnswer('ASIA') } })
      await assert.rejects(awsCredentials(ports, { region: 'us-east-1' }), { code: 'CLOUD_SETTINGS' })
      assert.deepEqual(network.lines(), [])
    })
  }

  test('a chain has an end', async () => {
    const link = (index: number): string =>
      `[profile p${String(index)}]\n${ROLE}source_profile = p${String(index + 1)}\n`
    const links = Array.from({ length: 20 }, (_, index) => link(index)).join('')
    const options = { env: { AWS_PROFILE: 'p0' }, files: config(`${links}[profile p20]\n${KEYS}`) }
    await refused({ ...options, answers: { [STS]: stsAnswer('ASIA') } }, 'CLOUD_SETTINGS')
  })

  test('a profile that is its own source and has nothing', async () => {
    const { ports } = fakeCloud({ files: config(`[default]\n${ROLE}source_profile = default`) })
    await assert.rejects(awsCredentials(ports, { region: 'us-east-1' }), { code: 'CLOUD_CREDENTIALS' })
  })
})

describe('the order', () => {
  const files = { ...config(`[default]\n${KEYS}`), '/token': 'jwt' }
  const env = { AWS_ACCESS_KEY_ID: 'AKIDENV', AWS_SECRET_ACCESS_KEY: 's3cret-env' }
  const web = { AWS_WEB_IDENTITY_TOKEN_FILE: '/token', AWS_ROLE_ARN: 'arn:aws:iam::123456789012:role/gate' }
  const agent = { AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://169.254.170.23/v1' }
  const answers = {
    ...MACHINE,
    [STS]: stsAnswer('ASIAWEB'),
    'GET 169.254.170.23/v1': json({ AccessKeyId: 'ASIAAGENT', SecretAccessKey: 's3cret', Token: 's3cret' }),
  }
  for (const [name, options, expected] of [
    ['keys of the environment come first', { files, env: { ...env, ...web, ...agent } }, 'AKIDENV'],
    ['then the role of the service account', { files, env: { ...web, ...agent } }, 'ASIAWEB'],
    ['then the profile', { files, env: agent }, 'AKIDFILE'],
    ['then the container', { env: agent }, 'ASIAAGENT'],
    ['then the machine', {}, 'ASIAMACHINE'],
    ['a profile without a login is passed over', { files: config('[default]\nregion = eu-west-1') }, 'ASIAMACHINE'],
    ['also one that was chosen', { env: { AWS_PROFILE: 'a' }, files: config('[profile a]') }, 'ASIAMACHINE'],
    ['a profile that was chosen does not come before keys', { files, env: { ...env, AWS_PROFILE: 'x' } }, 'AKIDENV'],
  ] as const) {
    test(name, async () => {
      assert.equal(await idOf({ ...options, answers }), expected)
    })
  }

  test('without anybody’s files, each is looked for once, and no program is run', async () => {
    const { looked, runs } = await ask({ answers: MACHINE })
    assert.deepEqual([looked, runs], [['~/.aws/config', '~/.aws/credentials'], []])
    assert.deepEqual((await ask({ answers: MACHINE, homeless: true })).looked, [])
  })
})

describe('keys in files', () => {
  for (const [name, options, expected] of [
    ['of credentials', { files: { '~/.aws/credentials': `[default]\n${KEYS}` } }, 'AKIDFILE'],
    [
      'of credentials before those of config',
      {
        files: config('[default]\naws_access_key_id=OLD\naws_secret_access_key=s3cret', {
          '~/.aws/credentials': `[default]\n${KEYS}`,
        }),
      },
      'AKIDFILE',
    ],
    [
      'of the profile that is chosen',
      { env: { AWS_PROFILE: 'a' }, files: config(`[default]\n${ROLE}\n[profile a]\n${KEYS}`) },
      'AKIDFILE',
    ],
    [
      'by the other name for that',
      { env: { AWS_DEFAULT_PROFILE: 'a' }, files: config(`[profile a]\n${KEYS}`) },
      'AKIDFILE',
    ],
    [
      'of [profile default], which comes before [default]',
      { files: config(`[profile default]\n${KEYS}\n[default]\naws_access_key_id=OLD\naws_secret_access_key=s3cret`) },
      'AKIDFILE',
    ],
    [
      'of files elsewhere',
      {
        env: { AWS_CONFIG_FILE: '/c', AWS_SHARED_CREDENTIALS_FILE: '/s' },
        files: { '/s': `[default]\n${KEYS}`, '~/.aws/credentials': 'x' },
      },
      'AKIDFILE',
    ],
  ] as const) {
    test(name, async () => {
      assert.equal(await idOf(options), expected)
    })
  }

  test('a token of the one file does not go with a key of the other', async () => {
    const text = '[default]\naws_access_key_id=OLD\naws_secret_access_key=s3cret\naws_session_token=s3cret-old\n'
    const { login } = await ask({ files: config(text, { '~/.aws/credentials': `[default]\n${KEYS}` }) })
    assert.deepEqual(login, { accessKeyId: 'AKIDFILE', secretAccessKey: 's3cret-file', sessionToken: undefined })
  })

  test('the region of the profile serves where nothing else says one', async () => {
    const files = config('[default]\nregion = eu-west-1')
    assert.equal(await awsRegion(fakeCloud({ files }).ports), 'eu-west-1')
    assert.equal(await awsRegion(fakeCloud({ files, env: { AWS_REGION: 'eu-north-1' } }).ports), 'eu-north-1')
    assert.equal(await awsRegion(fakeCloud({ files, env: { AWS_DEFAULT_REGION: 'x' } }).ports), 'x')
    assert.equal(await awsRegion(fakeCloud({}).ports), undefined)
  })
})

describe('roles', () => {
  const CHAIN = `[default]\nregion = eu-west-1\n${ROLE}source_profile = a\nexternal_id = ext-1\nrole_session_name = ci\nduration_seconds = 900\n[profile a]\n${KEYS}`
  const EU = 'POST sts.eu-west-1.amazonaws.com/'

  test('one that a key may take: the request says all of it, and is signed', async () => {
    const { login, network } = await ask({ files: config(CHAIN), answers: { [EU]: stsAnswer('ASIAROLE') } })
    assert.deepEqual([login?.accessKeyId, login?.sessionToken], ['ASIAROLE', 's3cret+session='])
    const [request] = network.requests
    assert.ok(request !== undefined && isSigned(request, 's3cret-file'))
    assert.match(request.headers['authorization'] ?? '', /Credential=AKIDFILE\/20260102\/eu-west-1\/sts\//)
    assert.deepEqual(Object.fromEntries(formOf(request)), {
      Action: 'AssumeRole',
      Version: '2011-06-15',
      RoleArn: 'arn:aws:iam::123456789012:role/release',
      RoleSessionName: 'ci',
      DurationSeconds: '900',
      ExternalId: 'ext-1',
    })
    assert.equal(request.init.redirect, 'error')
  })

  test('a region of the environment comes before that of the profile', async () => {
    const answers = { 'POST sts.cn-north-1.amazonaws.com.cn/': stsAnswer('ASIACN') }
    assert.equal(await idOf({ files: config(CHAIN), env: { AWS_REGION: 'cn-north-1' }, answers }), 'ASIACN')
  })

  for (const [name, options, expected] of [
    [
      'of a profile that is its own source',
      { files: config(`[default]\n${ROLE}source_profile = default\n${KEYS}`) },
      'AKIDFILE',
    ],
    ['beside the key', { files: config(`[default]\n${ROLE}${KEYS}`) }, 'AKIDFILE'],
    [
      'of another profile, with half of a key in the environment',
      {
        env: { AWS_PROFILE: 'a', AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: 's3cret' },
        files: config(`[profile a]\n${ROLE}source_profile=b\n[profile b]\n${KEYS}`),
      },
      'AKIDFILE',
    ],
    ['for the machine', { files: config(`[default]\n${ROLE}credential_source = Ec2InstanceMetadata`) }, 'ASIAMACHINE'],
  ] as const) {
    test(name, async () => {
      const { network, login } = await ask({ ...options, answers: { ...MACHINE, [STS]: stsAnswer('ASIAROLE') } })
      assert.equal(login?.accessKeyId, 'ASIAROLE')
      assert.match(network.requests.at(-1)?.headers['authorization'] ?? '', new RegExp(`Credential=${expected}/`))
    })
  }

  test('a chain of them: each is taken with the one before', async () => {
    const text = `[default]\n${ROLE}source_profile = a\n[profile a]\nrole_arn = arn:aws:iam::123456789012:role/middle\nsource_profile = b\n[profile b]\n${KEYS}`
    const { network } = await ask({ files: config(text), answers: { [STS]: stsAnswer('ASIAROLE') } })
    assert.deepEqual(
      network.requests.map((each) => [
        formOf(each).get('RoleArn')?.split('/')[1],
        /Credential=(\w+)/.exec(each.headers['authorization'] ?? '')?.[1],
        each.headers['x-amz-security-token'],
      ]),
      [
        ['middle', 'AKIDFILE', undefined],
        ['release', 'ASIAROLE', 's3cret+session='],
      ],
    )
  })

  test('of a source with keys of its own: they come before its source', async () => {
    const text = `[default]\n${ROLE}source_profile = a\n[profile a]\n${ROLE}source_profile = b\n${KEYS}[profile b]\naws_access_key_id=X\naws_secret_access_key=s3cret`
    const { network } = await ask({ files: config(text), answers: { [STS]: stsAnswer('ASIAROLE') } })
    assert.match(network.requests[0]?.headers['authorization'] ?? '', /Credential=AKIDFILE\//)
  })

  test('for a token in a file: nothing else is sent along', async () => {
    const files = config(`[default]\n${ROLE}web_identity_token_file = /token`, { '/token': 'jwt\n' })
    const { login, network } = await ask({ files, answers: { [STS]: stsAnswer('ASIAWEB') } })
    assert.equal(login?.accessKeyId, 'ASIAWEB')
    assert.equal(formOf(network.requests[0]).get('WebIdentityToken'), 'jwt')
    assert.equal(network.requests[0]?.headers['authorization'], undefined)
  })

  for (const [name, source] of [
    ['of the environment', 'Environment'],
    ['of the machine', 'Ec2InstanceMetadata'],
    ['of the container', 'EcsContainer'],
  ] as const) {
    test(`a login ${name} that is not there is an error`, async () => {
      await refused({ files: config(`[default]\n${ROLE}credential_source = ${source}`) }, 'CLOUD_CREDENTIALS')
    })
  }

  for (const [name, answer] of [
    [
      'refused',
      { status: 403, body: '<Error><Code>AccessDenied</Code><Message>s3cret-file may not</Message></Error>' },
    ],
    ['answered with something else', { body: '<html>s3cret</html>' }],
    ['answered in pieces', { body: '<AccessKeyId>ASIA</AccessKeyId>' }],
  ] as const) {
    test(`a role that is ${name}`, async () => {
      await refused({ files: config(CHAIN), answers: { [EU]: answer } }, 'CLOUD_CREDENTIALS')
    })
  }

  for (const url of ['http://sts.example', 'ftp://localhost', 'x', 'https://a@sts.example', 'https://sts.example/x']) {
    test(`is not asked for at ${url}`, async () => {
      await refused({ files: config(CHAIN), env: { AWS_ENDPOINT_URL_STS: url } }, 'CLOUD_SETTINGS')
    })
  }

  test('is asked for where the environment says', async () => {
    const env = { AWS_ENDPOINT_URL_STS: 'https://sts.example:8443', AWS_ENDPOINT_URL: 'http://localhost:4566' }
    const answers = { 'POST sts.example:8443/': stsAnswer('ASIAOWN'), 'POST localhost:4566/': stsAnswer('ASIALOCAL') }
    assert.equal(await idOf({ files: config(CHAIN), env, answers }), 'ASIAOWN')
    assert.equal(await idOf({ files: config(CHAIN), env: { ...env, AWS_ENDPOINT_URL_STS: '' }, answers }), 'ASIALOCAL')
  })

  test('is asked for once while it holds, and again before it runs out', async () => {
    let now = CLOUD_NOW
    const cloud = fakeCloud({ files: config(CHAIN), answers: { [EU]: stsAnswer('ASIAROLE') }, clock: () => now })
    for (const minutes of [0, 10, 14, 16]) {
      now = CLOUD_NOW + minutes * 60_000
      await awsCredentials(cloud.ports, { region: 'us-east-1' })
    }
    assert.equal(cloud.network.requests.length, 2)
  })
})

describe('IAM Identity Center', () => {
  const SESSION = `[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Release\n[sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n`
  const OLD = `[default]\nsso_start_url = https://corp.awsapps.com/start\nsso_region = eu-central-1\nsso_account_id = 123456789012\nsso_role_name = Release\n`
  const PORTAL = 'GET portal.sso.eu-central-1.amazonaws.com/federation/credentials'
  const cacheOf = (name: string): string => `~/.aws/sso/cache/${createHash('sha1').update(name).digest('hex')}.json`
  const TOKEN = JSON.stringify({ accessToken: 's3cret-sso', expiresAt: '2026-01-02T04:00:00Z', region: 'eu-central-1' })
  const ANSWER = json({
    roleCredentials: {
      accessKeyId: 'ASIASSO',
      secretAccessKey: 's3cret',
      sessionToken: 's3cret',
      expiration: CLOUD_NOW + 3_600_000,
    },
  })

  for (const [name, text, cache] of [
    ['a session', SESSION, cacheOf('corp')],
    ['a start page', OLD, cacheOf('https://corp.awsapps.com/start')],
  ] as const) {
    test(`the token of ${name} is traded for the keys of a role`, async () => {
      const { login, network } = await ask({ files: config(text, { [cache]: TOKEN }), answers: { [PORTAL]: ANSWER } })
      assert.equal(login?.accessKeyId, 'ASIASSO')
      const [request] = network.requests
      assert.equal(request?.headers['x-amz-sso_bearer_token'], 's3cret-sso')
      assert.equal(request.url.search, '?account_id=123456789012&role_name=Release')
      assert.equal(request.init.redirect, 'error')
    })
  }

  for (const [name, token, code] of [
    ['nobody has logged in', undefined, 'CLOUD_LOGIN_EXPIRED'],
    ['it has run out', { accessToken: 's3cret', expiresAt: '2026-01-02T03:04:05Z' }, 'CLOUD_LOGIN_EXPIRED'],
    ['the file says no time', { accessToken: 's3cret' }, 'CLOUD_SETTINGS'],
    ['the time is none', { accessToken: 's3cret', expiresAt: 'later' }, 'CLOUD_SETTINGS'],
    ['the file has no token', { expiresAt: '2026-01-02T04:00:00Z' }, 'CLOUD_SETTINGS'],
    [
      'the token would be two headers',
      { accessToken: 's3cret\r\nx: y', expiresAt: '2026-01-02T04:00:00Z' },
      'CLOUD_SETTINGS',
    ],
    ['the file is a list', [], 'CLOUD_SETTINGS'],
  ] as const) {
    test(`an error, and nobody is asked: ${name}`, async () => {
      const files = config(SESSION, token === undefined ? {} : { [cacheOf('corp')]: JSON.stringify(token) })
      await refused({ files, answers: { [PORTAL]: ANSWER } }, code)
    })
  }

  test('says what to do about a login that has run out', async () => {
    await assert.rejects(ask({ files: config(SESSION) }), { hint: 'run "aws sso login" for this profile' })
  })

  for (const [name, answer, code] of [
    [
      'does not take the token',
      json({ __type: 'com.amazonaws.switchboard.portal#UnauthorizedException', message: 's3cret' }, 401),
      'CLOUD_LOGIN_EXPIRED',
    ],
    ['does not allow the role', json({ __type: 'ForbiddenException' }, 403), 'CLOUD_CREDENTIALS'],
    ['answers nothing', json({}), 'CLOUD_CREDENTIALS'],
    ['answers half', json({ roleCredentials: { accessKeyId: 'ASIA' } }), 'CLOUD_CREDENTIALS'],
  ] as const) {
    test(`an error: the portal ${name}`, async () => {
      await refused({ files: config(SESSION, { [cacheOf('corp')]: TOKEN }), answers: { [PORTAL]: answer } }, code)
    })
  }

  for (const [name, text] of [
    [
      'a session elsewhere than the profile says',
      SESSION.replace('sso_account_id', 'sso_region = us-east-1\nsso_account_id'),
    ],
    ['an account that is none', SESSION.replace('123456789012', '12/../34')],
    ['a role that is a path', SESSION.replace('Release', '../x')],
    ['a region that is a host', SESSION.replace('eu-central-1', 'evil.example/')],
    ['a session without a region', SESSION.replace('sso_region = eu-central-1', '')],
  ] as const) {
    test(`refused: ${name}`, async () => {
      await refused({ files: config(text, { [cacheOf('corp')]: TOKEN }) }, 'CLOUD_SETTINGS')
    })
  }
})

describe('credential_process', () => {
  const OUTPUT = { Version: 1, AccessKeyId: 'AKIDPROC', SecretAccessKey: 's3cret-proc' }
  const line = '/opt/vault creds --json'
  const files = config(`[default]\ncredential_process = "/opt/vault" creds --json`)
  const run = (output: unknown): Promise<Asked> =>
    ask({ files, programs: { [line]: typeof output === 'string' ? output : JSON.stringify(output) } })

  test('is run as it is', async () => {
    const { login, runs } = await run({ ...OUTPUT, SessionToken: 's3cret-s', Expiration: '2026-01-02T04:00:00Z' })
    assert.deepEqual([login?.accessKeyId, login?.sessionToken, runs], ['AKIDPROC', 's3cret-s', [line]])
    assert.equal((await run({ ...OUTPUT, SessionToken: null })).login?.sessionToken, undefined)
  })

  test('is run once, however many keys are asked for', async () => {
    const cloud = fakeCloud({ files, programs: { [line]: JSON.stringify(OUTPUT) } })
    await Promise.all([1, 2, 3].map(() => awsCredentials(cloud.ports, { region: 'us-east-1' })))
    assert.deepEqual(cloud.runs, [line])
  })

  for (const [name, output] of [
    ['no JSON', 's3cret'],
    ['a list', []],
    ['another version', { ...OUTPUT, Version: 2 }],
    ['no version', { ...OUTPUT, Version: undefined }],
    ['no secret', { ...OUTPUT, SecretAccessKey: undefined }],
    ['no id', { ...OUTPUT, AccessKeyId: 1 }],
    ['a token that is none', { ...OUTPUT, SessionToken: 's3cret\r\nx: y' }],
    ['a time that is none', { ...OUTPUT, Expiration: 's3cret' }],
    ['a login that has run out', { ...OUTPUT, Expiration: '2026-01-02T03:04:05Z' }],
  ] as const) {
    test(`an error, without what was printed: ${name}`, async () => {
      const printed = typeof output === 'string' ? output : JSON.stringify(output)
      await refused({ files, programs: { [line]: printed } }, 'CLOUD_CREDENTIALS')
    })
  }

  test('that fails, or cannot be started', async () => {
    await refused({ files, programs: { [line]: 1 } }, 'CLOUD_CREDENTIALS')
    const secret = config('[default]\ncredential_process = prog --key s3cret')
    await refused({ files: secret }, 'CLOUD_CREDENTIALS')
  })

  for (const command of ['sh -c "$X"', 'a | b', '~/bin/vault', 'a; b', '"a', "''" + ' | x']) {
    test(`${command} is not run`, async () => {
      const { ports, runs } = fakeCloud({ files: config(`[default]\ncredential_process = ${command}`) })
      await assert.rejects(awsCredentials(ports, { region: 'us-east-1' }), { code: 'CLOUD_SETTINGS' })
      assert.deepEqual(runs, [])
    })
  }

  describe('where others are answered', () => {
    const chosen = { files, programs: { [line]: JSON.stringify(OUTPUT) }, programsAllowed: 'chosen' } as const

    test('a file in the home folder runs nothing', async () => {
      const { ports, runs } = fakeCloud(chosen)
      await assert.rejects(awsCredentials(ports, { region: 'us-east-1' }), { code: 'CLOUD_SETTINGS' })
      assert.deepEqual(runs, [])
    })

    for (const env of [{ AWS_PROFILE: 'default' }, { AWS_CONFIG_FILE: '/etc/aws' }] as const) {
      test(`one that ${Object.keys(env).join('')} chooses does`, async () => {
        const more = { ...files, '/etc/aws': files['~/.aws/config'] ?? '' }
        assert.equal(await idOf({ ...chosen, files: more, env }), 'AKIDPROC')
      })
    }

    test('keys in a file are taken', async () => {
      assert.equal(await idOf({ files: config(`[default]\n${KEYS}`), programsAllowed: 'chosen' }), 'AKIDFILE')
    })
  })
})

/** Settings that the readers look for, with values that they like. */
const NAMES = [
  ...['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token', 'role_arn', 'source_profile', 'region'],
  ...['credential_source', 'credential_process', 'web_identity_token_file', 'mfa_serial', 'external_id'],
  ...['duration_seconds', 'sso_session', 'sso_region', 'sso_start_url', 'sso_account_id', 'sso_role_name'],
]
const LIKED = [
  '',
  'x',
  'default',
  'a',
  'arn:aws:iam::123456789012:role/x',
  '900',
  'Environment',
  '123456789012',
  'eu-west-1',
  'prog',
]
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('[default]', '[profile a]', '[sso-session a]', '[a]'),
      fc
        .tuple(fc.constantFrom(...NAMES), fc.oneof(fc.constantFrom(...LIKED), fc.string({ maxLength: 6 })))
        .map((pair) => pair.join(' = ')),
    ),
  )
  .map((lines) => ['[default]', ...lines].join('\n'))

test('any files and any answers are a login, none, or a coded error', async () => {
  const output = fc.oneof(
    fc.json(),
    fc.constant(JSON.stringify({ Version: 1, AccessKeyId: 'a', SecretAccessKey: 'b' })),
  )
  const body = fc.oneof(fc.uint8Array({ maxLength: 40 }), fc.constant(encodeUtf8(stsAnswer('ASIA').body)))
  await fc.assert(
    fc.asyncProperty(text, text, output, body, async (one, other, printed, answer) => {
      const answers = { [STS]: { body: answer }, 'POST sts.eu-west-1.amazonaws.com/': { body: answer } }
      const files = { '~/.aws/config': one, '~/.aws/credentials': other, x: 'jwt' }
      try {
        const login = await awsCredentials(fakeCloud({ files, answers, programs: { prog: printed } }).ports, {
          region: 'us-east-1',
        })
        assert.ok(login === undefined || login.accessKeyId !== '')
      } catch (error) {
        assert.ok(isCodedError(error) || /no /.test(String(error)), String(error))
      }
    }),
    { numRuns: fuzzRuns() },
  )
})

/** Nearly what programs print and what `aws sso login` writes. */
const nearly = fc.dictionary(
  fc.constantFrom(
    ...['Version', 'AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration', 'accessToken', 'expiresAt'],
  ),
  fc.constantFrom<unknown>(1, null, '', 'word', 'a b', '2026-01-02T04:00:00Z', '2026-01-02T03:00:00Z', 'later', []),
)

test('whatever a program prints, or stands where logins are kept, is a login or a coded error', async () => {
  const sso = '[default]\nsso_start_url=x\nsso_region=eu-west-1\nsso_account_id=123456789012\nsso_role_name=R'
  const cached = `~/.aws/sso/cache/${createHash('sha1').update('x').digest('hex')}.json`
  const bytes = fc.oneof(
    nearly.map((each) => JSON.stringify(each)),
    fc.json(),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(bytes, fc.json(), async (written, answer) => {
      const portal = { 'GET portal.sso.eu-west-1.amazonaws.com/federation/credentials': { body: answer } }
      for (const options of [
        { files: config('[default]\ncredential_process = prog'), programs: { prog: written } },
        { files: config(sso, { [cached]: written }), answers: portal },
      ]) {
        try {
          assert.notEqual((await ask(options)).login?.accessKeyId, '')
        } catch (error) {
          assert.ok(isCodedError(error), String(error))
        }
      }
    }),
    { numRuns: fuzzRuns() },
  )
})
