/** Policies from files, read again when they change: the gate without a cluster. @module */
import type { Timers } from '#clients/http/fetch'
import { Repetition } from '#clients/http/timers'
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { readDocuments } from '#policy/internal/documents'
import { isTrustRoot } from '#policy/cip/trust-root'
import { isPolicy, POLICY_RESOURCES } from '#policy/front-ends'
import { PolicyError } from '#policy/internal/policy-error'
import { nameOf } from '../snapshot/documents.js'
import type { Documents } from '../snapshot/documents.js'

export interface PolicyFileOptions {
  readonly paths: readonly string[]
  readonly read: (path: string) => Promise<string>
  readonly documents: Documents
  readonly timers: Timers
  /** Told why files could not be taken in; what they said before stays in force. */
  readonly onProblem: (error: Error) => void
}

/** How often it is looked whether the files have changed. Notices of the file system get lost on mounted volumes. */
const LOOK = 2000

export class PolicyFiles {
  readonly #options: PolicyFileOptions
  #seen = ''
  readonly #looking: Repetition

  constructor(options: PolicyFileOptions) {
    this.#options = options
    this.#looking = new Repetition(
      options.timers,
      () => LOOK,
      () => this.reload(),
    )
  }

  /**
   * Reads the files for the first time, and looks at them from then on.
   * @throws PolicyError, or what reading throws: a gate without policies does not start
   */
  async start(): Promise<void> {
    await this.#load()
    this.#looking.start()
  }

  /** Looks now: somebody said that they have changed. */
  async reload(): Promise<void> {
    try {
      await this.#load()
    } catch (error) {
      this.#options.onProblem(error instanceof Error ? error : new Error('the files cannot be read', { cause: error }))
    }
  }

  close(): void {
    this.#looking.stop()
  }

  async #load(): Promise<void> {
    const { paths, read, documents } = this.#options
    const texts = await Promise.all(paths.map(async (path) => ({ path, text: await read(path) })))
    const seen = encodeHex(sha256(encodeUtf8(JSON.stringify(texts))))
    if (seen === this.#seen) return
    const found = (await Promise.all(texts.map(({ path, text }) => readDocuments(text, path)))).flat()
    const values = found.map(({ value }) => value)
    requirePolicies(values, paths)
    values.forEach(refuseUnknown)
    refuseSameNames(values)
    documents.replace([...documents.all(), ...values.map(nameOf)], values)
    this.#seen = seen
  }
}

function requirePolicies(documents: readonly JsonObject[], paths: readonly string[]): void {
  if (documents.some(isPolicy)) return
  throw new PolicyError('POLICY_KIND', `there is no policy in ${paths.join(', ')}`)
}

/** Something that looks like a policy and is none would otherwise protect nothing. */
function refuseUnknown(document: JsonObject): void {
  const { group, kind, name } = nameOf(document)
  if (isPolicy(document) || isTrustRoot(document)) return
  if (!POLICY_RESOURCES.some((resource) => resource.group === group || resource.kind === kind)) return
  throw new PolicyError('POLICY_KIND', `${kind} ${name} is not a policy that is known here`, {
    expected: POLICY_RESOURCES.map((resource) => `${resource.kind} (${resource.group})`).join(', '),
    found: `${kind} of ${group === '' ? 'the core group' : group}`,
  })
}

/** Of two documents with one name only one would count, and nobody could say which. */
function refuseSameNames(documents: readonly JsonObject[]): void {
  const seen = new Set<string>()
  for (const document of documents) {
    const { group, kind, namespace, name } = nameOf(document)
    const key = `${kind}.${group} ${namespace}/${name}`
    if (seen.has(key)) throw new PolicyError('POLICY_DOCUMENT', `there are two documents ${key} in the files`)
    seen.add(key)
  }
}
