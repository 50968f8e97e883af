/**
 * Secrets of GitHub Actions, of a repository or an organisation. They can be written and never be read again.
 * Source: GitHub REST API, "GitHub Actions Secrets".
 *
 * @module
 */
import { KeyError } from '#crypto/key-error'
import type { RandomSource } from '#crypto/random'
import { sealBox } from '#crypto/sealed-box'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { isCodedError } from '#errors'
import { askForge, hostIn, malformed, namesIn, orAbsent, tokenIn, type Forge, type ForgePorts } from './forge.js'

export interface GithubSecrets {
  exists(name: string): Promise<boolean>
  /** Makes it, or gives it another value. */
  write(name: string, value: Uint8Array): Promise<void>
  remove(name: string): Promise<void>
}

export interface GithubPorts extends ForgePorts {
  readonly random: RandomSource
}

const WHAT = 'GitHub'

/**
 * @param reference `owner/repository`, or an organisation
 * @throws ForgeError FORGE_*
 */
export function openGithubSecrets(
  { fetch, env, random }: GithubPorts,
  reference: string,
  signal: AbortSignal,
): GithubSecrets {
  const forge = githubOf(env)
  const [owner, repository] = namesIn(reference, 2, 'github://OWNER/REPOSITORY, or github://ORGANISATION')
  const all =
    repository === undefined ? `/orgs/${owner}/actions/secrets` : `/repos/${owner}/${repository}/actions/secrets`
  // Who of an organisation may use it has to be said: what is private to it, as for every secret that is made by hand.
  const whose = repository === undefined ? { visibility: 'private' } : {}
  const about = (name: string): string => `${name} of ${reference}`
  let recipient: Promise<Recipient> | undefined
  return {
    exists: async (name) =>
      (await orAbsent(askForge(fetch, forge, { path: `${all}/${name}`, about: about(name), signal }))) !== undefined,
    write: async (name, value) => {
      const { id, key } = await (recipient ??= fetchRecipient())
      const body = { encrypted_value: encodeBase64(await seal(key, value, random)), key_id: id, ...whose }
      await askForge(fetch, forge, { method: 'PUT', path: `${all}/${name}`, body, about: about(name), signal })
    },
    remove: async (name) => {
      await askForge(fetch, forge, { method: 'DELETE', path: `${all}/${name}`, about: about(name), signal })
    },
  }

  async function fetchRecipient(): Promise<Recipient> {
    const asked = { path: `${all}/public-key`, about: `the public key of ${reference}`, signal }
    const { key_id: id, key } = await askForge(fetch, forge, asked)
    if (typeof id !== 'string' || typeof key !== 'string') throw malformed(WHAT, 'key_id and key')
    return { id, key }
  }
}

interface Recipient {
  readonly id: string
  /** 32 bytes of X25519, in base64. */
  readonly key: string
}

async function seal(key: string, value: Uint8Array, random: RandomSource): Promise<Uint8Array> {
  try {
    return await sealBox(decodeBase64(key), value, random)
  } catch (error) {
    if (error instanceof KeyError || (isCodedError(error) && error.code === 'BASE64'))
      throw malformed(WHAT, 'a public key of X25519')
    throw error
  }
}

/** Servers of one's own have their API below a path; what is called `api.…` is an API as a whole. */
function githubOf(env: ForgePorts['env']): Forge {
  const { origin, hostname, pathname } = hostIn(env, 'GITHUB_HOST') ?? new URL('https://api.github.com')
  const base = `${origin}${pathname.replace(/\/+$/, '')}`
  return {
    what: WHAT,
    api: hostname.startsWith('api.') || base.endsWith('/api/v3') ? base : `${base}/api/v3`,
    headers: {
      accept: 'application/vnd.github+json',
      'x-github-api-version': '2022-11-28',
      authorization: `Bearer ${tokenIn(env, 'GITHUB_TOKEN')}`,
    },
  }
}
