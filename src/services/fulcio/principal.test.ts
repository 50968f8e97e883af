import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#encoding/json'
import type { FulcioConfig, IssuerConfig } from './config.js'
import { findIssuer } from './config.js'
import { parseFulcioConfig } from './parse-config.js'
import type { Principal } from './principal.js'
import { principalOf } from './principal.js'

const EMPTY: FulcioConfig = { issuers: new Map(), metaIssuers: new Map(), ciProviders: new Map() }

function principal(issuer: Partial<IssuerConfig>, claims: JsonObject, config = EMPTY): Principal {
  const whole: IssuerConfig = {
    issuerUrl: 'https://issuer.example.com',
    clientId: 'sigstore',
    type: 'email',
    ...issuer,
  }
  const subject = typeof claims['sub'] === 'string' ? claims['sub'] : 'subject-1'
  return principalOf({ issuer: whole, subject, claims }, config)
}

const BASE = { issuerV1: 'https://issuer.example.com', issuer: 'https://issuer.example.com' }

test('email: the address is the name, and the upstream issuer is found in a claim', () => {
  const claims = {
    email: 'alice@example.com',
    email_verified: 'true',
    federated_claims: { connector_id: 'https://accounts.example.com' },
  }
  const found = principal({ issuerClaim: '$.federated_claims.connector_id' }, claims)
  assert.equal(found.name, 'alice@example.com')
  assert.deepEqual(found.subjectAltName, { kind: 'email', value: 'alice@example.com' })
  assert.deepEqual(found.claims, {
    issuerV1: 'https://accounts.example.com',
    issuer: 'https://accounts.example.com',
    tokenSubject: 'subject-1',
  })
  assert.equal(
    principal({ skipEmailVerification: true }, { email: 'a.b+c@x-y.example.com' }).name,
    'a.b+c@x-y.example.com',
  )
})

const EMAILS = [
  '',
  'alice',
  'alice@',
  '@example.com',
  'alice@localhost',
  'a b@example.com',
  'alice@example.com\n',
  'alice@example..com',
  '.a@example.com',
  'a@-x.com',
  'ä@example.com',
  'a@b@example.com',
  `${'x'.repeat(250)}@example.com`,
  'a\0@example.com',
  '"a"@example.com',
]
test('email: refuses what is not verified, or no address', () => {
  for (const verified of [undefined, false, 'false', 1, 'TRUE', null]) {
    assert.throws(
      () => principal({}, { email: 'alice@example.com', ...(verified !== undefined && { email_verified: verified }) }),
      { code: 'ISSUING_IDENTITY' },
    )
  }
  for (const email of EMAILS)
    assert.throws(() => principal({}, { email, email_verified: true }), { code: 'ISSUING_IDENTITY' }, email)
  assert.throws(() => principal({}, { email: ['alice@example.com'], email_verified: true }), {
    code: 'ISSUING_IDENTITY',
  })
  for (const federated of [{}, { connector_id: 7 }, { connector_id: '' }, 'x', null]) {
    const claims = { email: 'alice@example.com', email_verified: true, federated_claims: federated }
    assert.throws(() => principal({ issuerClaim: '$.federated_claims.connector_id' }, claims), {
      code: 'ISSUING_IDENTITY',
    })
  }
})

test('username: user!domain in an otherName', () => {
  const issuer = { type: 'username', subjectDomain: 'example.com' } as const
  const { name, subjectAltName } = principal(issuer, { sub: 'alice' })
  assert.equal(name, 'alice')
  assert.ok(subjectAltName.kind === 'other')
  assert.deepEqual([subjectAltName.oid, subjectAltName.text], ['1.3.6.1.4.1.57264.1.7', 'alice!example.com'])
  for (const sub of ['alice!evil.org', 'alice@example.com'])
    assert.throws(() => principal(issuer, { sub }), { code: 'ISSUING_IDENTITY' })
})

test('uri: scheme and host of the subject must be the configured ones', () => {
  const issuer = { type: 'uri', subjectDomain: 'https://example.com' } as const
  assert.deepEqual(principal(issuer, { sub: 'https://example.com/users/1' }).subjectAltName, {
    kind: 'uri',
    value: 'https://example.com/users/1',
  })
  for (const sub of [
    'http://example.com/1',
    'https://example.com.evil.org/',
    'https://sub.example.com/',
    'https://evil.org/https://example.com',
    'https://example.com@evil.org/',
    'alice@example.com',
    'x',
    'https:example.com',
  ]) {
    if (sub === 'https:example.com') continue
    assert.throws(() => principal(issuer, { sub }), { code: 'ISSUING_IDENTITY' }, sub)
  }
})

test('spiffe: an ID of the trust domain', () => {
  const issuer = { type: 'spiffe', spiffeTrustDomain: 'example.com' } as const
  const id = 'spiffe://example.com/ns/a/sa/b'
  assert.deepEqual(principal(issuer, { sub: id }).subjectAltName, { kind: 'uri', value: id })
  const bad = [
    'spiffe://evil.org/ns',
    'spiffe://example.com.evil.org/',
    'https://example.com/',
    'spiffe://example.com/../x',
    'spiffe://example.com/a//b',
    'spiffe://example.com/',
    'spiffe://user@example.com/a',
    'spiffe://example.com:80/a',
    'spiffe://example.com/a?b',
    'spiffe://EXAMPLE.com/a',
  ]
  for (const sub of bad) assert.throws(() => principal(issuer, { sub }), { code: 'ISSUING_IDENTITY' }, sub)
})

test('kubernetes: the service account as a URI', () => {
  const account = (namespace: unknown, name: unknown): JsonObject =>
    ({ sub: 'system:serviceaccount:a:b', 'kubernetes.io': { namespace, serviceaccount: { name } } }) as JsonObject
  const found = principal({ type: 'kubernetes' }, account('a', 'b'))
  assert.deepEqual(found.subjectAltName, { kind: 'uri', value: 'https://kubernetes.io/namespaces/a/serviceaccounts/b' })
  assert.equal(found.name, 'system:serviceaccount:a:b')
  for (const claims of [
    account('', 'b'),
    account('a/serviceaccounts/admin', 'b'),
    account('a', '../admin'),
    account(1, 'b'),
    { sub: 'x' },
    { 'kubernetes.io': null },
  ]) {
    assert.throws(() => principal({ type: 'kubernetes' }, claims), { code: 'ISSUING_IDENTITY' })
  }
})

test('chainguard: the issuer and the subject as a URI, the e-mail address as the name where there is one', () => {
  const found = principal({ type: 'chainguard-identity' }, { sub: 'group/id' })
  assert.deepEqual(
    [found.name, found.subjectAltName],
    ['group/id', { kind: 'uri', value: 'https://issuer.example.com/group/id' }],
  )
  assert.equal(principal({ type: 'chainguard-identity' }, { email: 'a@b.org', email_verified: true }).name, 'a@b.org')
  assert.throws(() => principal({ type: 'chainguard-identity' }, { email: 'a@b.org' }), { code: 'ISSUING_IDENTITY' })
})

const GITHUB_CLAIMS: JsonObject = {
  sub: 'repo:octo/app:ref:refs/heads/main',
  job_workflow_ref: 'octo/flows/.github/workflows/release build.yml@refs/tags/v1',
  job_workflow_sha: 'b'.repeat(40),
  sha: 'a'.repeat(40),
  event_name: 'push',
  repository: 'octo/app',
  repository_id: '12',
  repository_owner: 'octo',
  repository_owner_id: '34',
  repository_visibility: 'public',
  runner_environment: 'github-hosted',
  workflow: 'Release',
  workflow_ref: 'octo/app/.github/workflows/release.yml@refs/heads/main',
  workflow_sha: 'a'.repeat(40),
  ref: 'refs/heads/main',
  run_id: '99',
  run_attempt: '2',
}

const GITHUB_EXTENSIONS = {
  ...BASE,
  tokenSubject: 'repo:octo/app:ref:refs/heads/main',
  githubWorkflowTrigger: 'push',
  githubWorkflowSha: 'a'.repeat(40),
  githubWorkflowName: 'Release',
  githubWorkflowRepository: 'octo/app',
  githubWorkflowRef: 'refs/heads/main',
  buildSignerDigest: 'b'.repeat(40),
  runnerEnvironment: 'github-hosted',
  sourceRepositoryUri: 'https://github.com/octo/app',
  sourceRepositoryDigest: 'a'.repeat(40),
  sourceRepositoryRef: 'refs/heads/main',
  sourceRepositoryIdentifier: '12',
  sourceRepositoryOwnerUri: 'https://github.com/octo',
  sourceRepositoryOwnerIdentifier: '34',
  buildConfigUri: 'https://github.com/octo/app/.github/workflows/release.yml@refs/heads/main',
  buildConfigDigest: 'a'.repeat(40),
  buildTrigger: 'push',
  runInvocationUri: 'https://github.com/octo/app/actions/runs/99/attempts/2',
  sourceRepositoryVisibilityAtSigning: 'public',
}
const GITHUB_SAN = 'https://github.com/octo/flows/.github/workflows/release%20build.yml@refs/tags/v1'

test('github-workflow: every claim has its extension', () => {
  const found = principal({ type: 'github-workflow' }, GITHUB_CLAIMS)
  assert.deepEqual(found.subjectAltName, { kind: 'uri', value: GITHUB_SAN })
  assert.deepEqual(found.claims, { ...GITHUB_EXTENSIONS, buildSignerUri: GITHUB_SAN })
  assert.equal(found.name, 'repo:octo/app:ref:refs/heads/main')
})

for (const missing of Object.keys(GITHUB_CLAIMS).filter((name) => name !== 'sub')) {
  test(`github-workflow: refuses a token without ${missing}`, () => {
    assert.throws(() => principal({ type: 'github-workflow' }, { ...GITHUB_CLAIMS, [missing]: '' }), {
      code: 'ISSUING_IDENTITY',
    })
  })
}

const GITLAB_CLAIMS: JsonObject = {
  sub: 'project_path:group/app:ref_type:branch:ref:main',
  project_path: 'group/app',
  project_id: '1',
  pipeline_source: 'push',
  pipeline_id: '2',
  ci_config_ref_uri: 'gitlab.com/group/app//.gitlab-ci.yml@refs/heads/main',
  ci_config_sha: 'c'.repeat(40),
  namespace_path: 'group',
  namespace_id: '3',
  job_id: '4',
  ref: 'main',
  ref_type: 'branch',
  sha: 'd'.repeat(40),
  runner_environment: 'gitlab-hosted',
  runner_id: 5,
  project_visibility: 'private',
}

test('gitlab-pipeline: the pipeline’s definition as URI, its double slash kept', () => {
  const found = principal({ type: 'gitlab-pipeline' }, GITLAB_CLAIMS)
  assert.deepEqual(found.subjectAltName, {
    kind: 'uri',
    value: 'https://gitlab.com/group/app//.gitlab-ci.yml@refs/heads/main',
  })
  assert.equal(found.claims.sourceRepositoryRef, 'refs/heads/main')
  assert.equal(found.claims.runInvocationUri, 'https://gitlab.com/group/app/-/jobs/4')
  assert.equal(
    principal({ type: 'gitlab-pipeline' }, { ...GITLAB_CLAIMS, ref_type: 'tag' }).claims.sourceRepositoryRef,
    'refs/tags/main',
  )
  for (const change of [{ ref_type: 'x' }, { runner_id: '5' }, { job_id: '' }, { ci_config_ref_uri: '' }, { sha: 7 }]) {
    assert.throws(() => principal({ type: 'gitlab-pipeline' }, { ...GITLAB_CLAIMS, ...change }), {
      code: 'ISSUING_IDENTITY',
    })
  }
})

test('buildkite-job and codefresh-workflow', () => {
  const buildkite = principal({ type: 'buildkite-job' }, { organization_slug: 'o', pipeline_slug: 'p' })
  assert.deepEqual(buildkite.subjectAltName, { kind: 'uri', value: 'https://buildkite.com/o/p' })
  assert.throws(() => principal({ type: 'buildkite-job' }, { organization_slug: 'o' }), { code: 'ISSUING_IDENTITY' })
  const claims = {
    account_id: 'a',
    account_name: 'name',
    pipeline_id: 'p',
    pipeline_name: 'project/pipe',
    workflow_id: 'w',
    scm_ref: 'main',
  }
  const codefresh = principal({ type: 'codefresh-workflow' }, claims)
  assert.deepEqual(codefresh.subjectAltName, { kind: 'uri', value: 'https://g.codefresh.io/name/project/pipe:a/p' })
  assert.equal(codefresh.claims.buildConfigUri, 'https://g.codefresh.io/api/pipelines/p')
  assert.throws(() => principal({ type: 'codefresh-workflow' }, { ...claims, workflow_id: '' }), {
    code: 'ISSUING_IDENTITY',
  })
})

const CONFIG = `
define:
  - &hub "hub"
oidc-issuers:
  https://issuer.example.com:
    issuer-url: https://issuer.example.com
    client-id: sigstore
    type: ci-provider
    ci-provider: *hub
meta-issuers:
  https://issuer.example.com/*:
    client-id: sigstore
    type: ci-provider
    ci-provider: *hub
ci-issuer-metadata:
  *hub:
    default-template-values:
      url: "https://github.com"
      environment: ""
    extension-templates:
      build-signer-uri: "{{ .url }}/{{ .job_workflow_ref }}"
      build-signer-digest: "job_workflow_sha"
      source-repository-ref: refs/{{if eq .ref_type "branch"}}heads/{{ else }}tags/{{end}}{{ .ref }}
      source-repository-identifier: '{{index . "example.com/id"}}'
      run-invocation-uri: '{{.url}}/{{ .run }}'
      deployment-environment: "environment"
    subject-alternative-name-template: "{{ .url }}/{{ .job_workflow_ref }}"
`

test('ci-provider: templates over claims and defaults, claims first', async () => {
  const config = await parseFulcioConfig(CONFIG)
  const issuer = findIssuer(config, 'https://issuer.example.com/org')
  assert.ok(issuer)
  const claims = {
    url: 'https://hub.example.com',
    job_workflow_ref: 'o/r/x@main',
    job_workflow_sha: 'abc',
    ref: 'v1',
    ref_type: 'tag',
    run: 123456789012345680000,
    'example.com/id': 7,
  }
  const found = principal(issuer, claims, config)
  assert.deepEqual(found.subjectAltName, { kind: 'uri', value: 'https://hub.example.com/o/r/x@main' })
  assert.deepEqual(found.claims, {
    issuerV1: 'https://issuer.example.com/org',
    issuer: 'https://issuer.example.com/org',
    tokenSubject: 'subject-1',
    buildSignerUri: 'https://hub.example.com/o/r/x@main',
    buildSignerDigest: 'abc',
    sourceRepositoryRef: 'refs/tags/v1',
    sourceRepositoryIdentifier: '7',
    runInvocationUri: 'https://hub.example.com/123456789012345683968',
    deploymentEnvironment: '',
  })
  const { 'example.com/id': _, ...withoutIndex } = claims
  assert.equal(principal(issuer, withoutIndex, config).claims.sourceRepositoryIdentifier, '')
  for (const name of ['job_workflow_ref', 'job_workflow_sha', 'ref', 'ref_type', 'run']) {
    assert.throws(() => principal(issuer, { ...claims, [name]: null }, config), { code: 'ISSUING_IDENTITY' }, name)
  }
  assert.throws(() => principal(issuer, { ...claims, run: { a: 1 } }, config), { code: 'ISSUING_IDENTITY' })
  assert.throws(() => principal(issuer, { ...claims, url: 'no-url' }, config), { code: 'ISSUING_IDENTITY' })
})

test('ci-provider: GitHub’s claims by the template give what the built-in mapping gives', async () => {
  const config = await parseFulcioConfig(CONFIG)
  const found = principal(
    { type: 'ci-provider', ciProvider: 'hub' },
    { ...GITHUB_CLAIMS, ref_type: 'branch', run: 'x' },
    config,
  )
  assert.deepEqual(found.subjectAltName, { kind: 'uri', value: GITHUB_SAN })
})
