/** Policies from files, read again when they change: the gate without a cluster. @module */
import type { Timers } from '#clients/http/fetch'
import { Repetition } from '#clients/http/timers'
import { sha256 } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import type { JsonObject } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { readDocuments } from '#policy/internal/documents'
import { isTrustRoot } from '#policy/cip/trust-root'
import { isException, isPolicy, POLICY_RESOURCES } from '#policy/front-ends'
import { PolicyError } from '#policy/internal/policy-error'
import { nameOf } from '../snapshot/documents.js'
import type { Documents } from '../snapshot/documents.js'

export interface PolicyFileOptions {
  readonly paths: readonly string[]
  readonly read: (path: string) => Promise<string>
  readonly documents: Documents
  readonly timers: Timers
  /** Told once why files cannot be taken in, for as long as that is so; what they said before stays in force. */
  readonly onProblem: (error: Error) => void
}

/** How often it is looked whether the files have changed. Notices of the file system get lost on mounted volumes. */
const LOOK = 2000

export class PolicyFiles {
  readonly #options: PolicyFileOptions
  /** What is in force. */
  #taken = ''
  /** What the last look found. */
  #found = ''
  #problem: string | undefined
  #loading: Promise<void> = Promise.resolve()
  #closed = false
  readonly #looking: Repetition

  constructor(options: PolicyFileOptions) {
    this.#options = options
    this.#looking = new Repetition(
      options.timers,
      () => LOOK,
      () => this.#reload('looking'),
    )
  }

  /**
   * Reads the files for the first time, and looks at them from then on.
   * @throws PolicyError, or what reading throws: a gate without policies does not start
   */
  async start(): Promise<void> {
    await this.#load('told')
    this.#looking.start()
  }

  /** Looks now: somebody said that they have changed. */
  reload(): Promise<void> {
    return this.#reload('told')
  }

  close(): void {
    this.#closed = true
    this.#looking.stop()
  }

  async #reload(why: Reason): Promise<void> {
    try {
      await this.#load(why)
      this.#problem = undefined
    } catch (error) {
      const problem = error instanceof Error ? error : new Error('the files cannot be read', { cause: error })
      if (problem.message !== this.#problem) this.#options.onProblem(problem)
      this.#problem = problem.message
    }
  }

  /** One reading after the other, so that an older one does not take the place of a newer one. */
  #load(why: Reason): Promise<void> {
    const loading = this.#loading.then(() => this.#loadOnce(why))
    this.#loading = loading.catch(() => undefined)
    return loading
  }

  async #loadOnce(why: Reason): Promise<void> {
    const { paths, read, documents } = this.#options
    const texts = await Promise.all(paths.map(async (path) => ({ path, text: await read(path) })))
    const seen = encodeHex(sha256(encodeUtf8(JSON.stringify(texts))))
    const isStill = seen === this.#found
    this.#found = seen
    // A file that is just being written has some of its policies, and then a moment later all of them.
    if (seen === this.#taken || (why === 'looking' && !isStill)) return
    const values = (await Promise.all(texts.map(readFile))).flat()
    requirePolicies(values, paths)
    values.forEach(refuseUnknown)
    refuseSameNames(values)
    if (this.#closed) return
    documents.replace([...documents.all(), ...values.map(nameOf)], values)
    this.#taken = seen
  }
}

/** Why files are read: they are said to have changed, or it is looked whether they have. */
type Reason = 'told' | 'looking'

/** A file that is empty was emptied by mistake, or is about to be written: its policies must not be gone for that. */
async function readFile({
  path,
  text,
}: {
  readonly path: string
  readonly text: string
}): Promise<readonly JsonObject[]> {
  const found = await readDocuments(text, path)
  if (found.length > 0) return found.map(({ value }) => value)
  throw new PolicyError('POLICY_DOCUMENT', `there is nothing in ${path}`, { expected: 'at least one document' })
}

function requirePolicies(documents: readonly JsonObject[], paths: readonly string[]): void {
  if (documents.some(isPolicy)) return
  throw new PolicyError('POLICY_KIND', `there is no policy in ${paths.join(', ')}`)
}

/** Something that looks like a policy and is none would otherwise protect nothing. */
function refuseUnknown(document: JsonObject): void {
  const { group, kind, name } = nameOf(document)
  if (kind === '') {
    throw new PolicyError('POLICY_DOCUMENT', `a document in the files is of no kind${name === '' ? '' : `: ${name}`}`, {
      expected: 'a Kubernetes resource with kind and apiVersion',
    })
  }
  if (isPolicy(document) || isTrustRoot(document) || isException(document)) return
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
