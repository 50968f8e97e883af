/**
 * CI/CD variables of a project or a group of GitLab. Source: GitLab REST API, "Project-level CI/CD variables" and "Group-level
 * CI/CD variables".
 *
 * @module
 */
import { askForge, hostIn, malformed, namesIn, orAbsent, tokenIn, type Forge, type ForgePorts } from './forge.js'

export interface GitlabVariables {
  /** What the reference turned out to be. */
  readonly kind: 'project' | 'group'
  /** Undefined: there is none of that name. */
  read(name: string): Promise<string | undefined>
  /** Makes it, or gives it another value. */
  write(name: string, value: string): Promise<void>
  remove(name: string): Promise<void>
}

const WHAT = 'GitLab'
const MOST_GROUPS = 21

/**
 * @param reference `team/app`, `team`, or a number
 * @throws ForgeError FORGE_*
 */
export async function openGitlabVariables(
  { fetch, env }: ForgePorts,
  reference: string,
  signal: AbortSignal,
): Promise<GitlabVariables> {
  const forge = gitlabOf(env)
  const id = encodeURIComponent(
    namesIn(reference, MOST_GROUPS, 'gitlab://GROUP/PROJECT, gitlab://GROUP, or the number of one').join('/'),
  )
  const exists = async (path: string): Promise<boolean> =>
    (await orAbsent(askForge(fetch, forge, { path, about: reference, signal }))) !== undefined
  // A project first, as in the original: a group and a project can have the same number.
  const kind = (await exists(`/projects/${id}`)) ? 'project' : 'group'
  if (kind === 'group') await askForge(fetch, forge, { path: `/groups/${id}`, about: reference, signal })
  const all = `/${kind}s/${id}/variables`
  const read = async (name: string): Promise<string | undefined> => {
    const found = await orAbsent(
      askForge(fetch, forge, { path: `${all}/${name}`, about: `${name} of ${reference}`, signal }),
    )
    if (found === undefined) return undefined
    const { value } = found
    if (typeof value !== 'string') throw malformed(WHAT, 'a value')
    return value
  }
  return {
    kind,
    read,
    write: async (name, value) => {
      const there = (await read(name)) !== undefined
      const settings = { value, variable_type: 'env_var', protected: false, masked: MASKABLE.test(value) }
      await askForge(fetch, forge, {
        ...(there
          ? { method: 'PUT', path: `${all}/${name}`, body: settings }
          : { method: 'POST', path: all, body: { key: name, ...settings } }),
        about: `${name} of ${reference}`,
        signal,
      })
    },
    remove: async (name) => {
      const about = `${name} of ${reference}`
      await orAbsent(askForge(fetch, forge, { method: 'DELETE', path: `${all}/${name}`, about, signal }))
    },
  }
}

/** What GitLab is able to hide in the logs of jobs; asked to hide anything else, it refuses. */
const MASKABLE = /^[A-Za-z0-9+/=@:.~_-]{8,}$/

function gitlabOf(env: ForgePorts['env']): Forge {
  const { origin, pathname } = hostIn(env, 'GITLAB_HOST') ?? new URL('https://gitlab.com')
  const base = `${origin}${pathname.replace(/\/+$/, '')}`
  return {
    what: WHAT,
    api: base.endsWith('/api/v4') ? base : `${base}/api/v4`,
    headers: { accept: 'application/json', 'private-token': tokenIn(env, 'GITLAB_TOKEN') },
  }
}
