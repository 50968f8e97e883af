/** Identities of CI jobs whose mapping Fulcio has built in: GitHub, GitLab, Buildkite, Codefresh. @module */
import type { FulcioExtensions } from '#formats/x509/fulcio-extensions'
import { certificateUri, identityError, issuerClaims, joinUrl, optionalClaim, requiredClaim } from './claims.js'
import type { VerifiedToken } from './identity-token.js'
import type { Principal } from './principal.js'

const GITHUB = 'https://github.com'
const GITLAB = 'https://gitlab.com'
const BUILDKITE = 'https://buildkite.com'
const CODEFRESH = 'https://g.codefresh.io'

export function githubPrincipal(token: VerifiedToken): Principal {
  const claim = (name: string): string => requiredClaim(token, name)
  const workflow = joinUrl(GITHUB, claim('job_workflow_ref'))
  const [repository, sha, ref, event] = [claim('repository'), claim('sha'), claim('ref'), claim('event_name')]
  return ciPrincipal(token, workflow, {
    githubWorkflowTrigger: event,
    githubWorkflowSha: sha,
    githubWorkflowName: claim('workflow'),
    githubWorkflowRepository: repository,
    githubWorkflowRef: ref,
    buildSignerUri: workflow,
    buildSignerDigest: claim('job_workflow_sha'),
    runnerEnvironment: claim('runner_environment'),
    sourceRepositoryUri: joinUrl(GITHUB, repository),
    sourceRepositoryDigest: sha,
    sourceRepositoryRef: ref,
    sourceRepositoryIdentifier: claim('repository_id'),
    sourceRepositoryOwnerUri: joinUrl(GITHUB, claim('repository_owner')),
    sourceRepositoryOwnerIdentifier: claim('repository_owner_id'),
    buildConfigUri: joinUrl(GITHUB, claim('workflow_ref')),
    buildConfigDigest: claim('workflow_sha'),
    buildTrigger: event,
    runInvocationUri: joinUrl(GITHUB, repository, 'actions/runs', claim('run_id'), 'attempts', claim('run_attempt')),
    sourceRepositoryVisibilityAtSigning: claim('repository_visibility'),
  })
}

const GITLAB_REFS: ReadonlyMap<string, string> = new Map([
  ['branch', 'refs/heads/'],
  ['tag', 'refs/tags/'],
])

export function gitlabPrincipal(token: VerifiedToken): Principal {
  const claim = (name: string): string => requiredClaim(token, name)
  const refPrefix = GITLAB_REFS.get(claim('ref_type'))
  if (refPrefix === undefined) throw identityError('the claim ref_type of the token is neither branch nor tag')
  for (const needed of ['pipeline_id', 'job_id']) claim(needed)
  if (typeof token.claims['runner_id'] !== 'number') throw identityError('the token has no claim runner_id')
  // The claim is a URL without its scheme.
  const config = certificateUri(`https://${claim('ci_config_ref_uri')}`)
  const configDigest = optionalClaim(token, 'ci_config_sha')
  const visibility = optionalClaim(token, 'project_visibility')
  const project = claim('project_path')
  return ciPrincipal(token, config, {
    buildConfigUri: config,
    buildSignerUri: config,
    ...(configDigest !== undefined && { buildConfigDigest: configDigest, buildSignerDigest: configDigest }),
    runnerEnvironment: claim('runner_environment'),
    sourceRepositoryUri: joinUrl(GITLAB, project),
    sourceRepositoryDigest: claim('sha'),
    sourceRepositoryRef: `${refPrefix}${claim('ref')}`,
    sourceRepositoryIdentifier: claim('project_id'),
    sourceRepositoryOwnerUri: joinUrl(GITLAB, claim('namespace_path')),
    sourceRepositoryOwnerIdentifier: claim('namespace_id'),
    buildTrigger: claim('pipeline_source'),
    runInvocationUri: joinUrl(GITLAB, project, '-/jobs', claim('job_id')),
    ...(visibility !== undefined && { sourceRepositoryVisibilityAtSigning: visibility }),
  })
}

export function buildkitePrincipal(token: VerifiedToken): Principal {
  const pipeline = `${BUILDKITE}/${requiredClaim(token, 'organization_slug')}/${requiredClaim(token, 'pipeline_slug')}`
  return ciPrincipal(token, pipeline, {})
}

export function codefreshPrincipal(token: VerifiedToken): Principal {
  const claim = (name: string): string => requiredClaim(token, name)
  const platform = optionalClaim(token, 'platform_url') ?? CODEFRESH
  const [account, pipeline, workflow] = [claim('account_id'), claim('pipeline_id'), claim('workflow_id')]
  const [accountName, pipelineName] = [
    optionalClaim(token, 'account_name') ?? '',
    optionalClaim(token, 'pipeline_name') ?? '',
  ]
  const build = joinUrl(platform, 'build', workflow)
  const optional = {
    runnerEnvironment: optionalClaim(token, 'runner_environment'),
    sourceRepositoryUri: optionalClaim(token, 'scm_repo_url'),
    sourceRepositoryRef: optionalClaim(token, 'scm_ref'),
  }
  return ciPrincipal(token, joinUrl(platform, accountName, `${pipelineName}:${account}/${pipeline}`), {
    buildSignerUri: build,
    buildConfigUri: joinUrl(platform, 'api', 'pipelines', pipeline),
    runInvocationUri: build,
    ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as FulcioExtensions),
  })
}

function ciPrincipal(token: VerifiedToken, uri: string, claims: FulcioExtensions): Principal {
  return {
    name: token.subject,
    subjectAltName: { kind: 'uri', value: certificateUri(uri) },
    claims: { ...claims, ...issuerClaims(token) },
  }
}
