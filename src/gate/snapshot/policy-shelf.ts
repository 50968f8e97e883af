/** Policies, compiled as their documents come and change; each keeps its last good form. @module */
import { isCodedError } from '#errors'
import type { JsonObject } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { CompilePorts } from '#policy/cip/policy-text'
import { compilePolicy, standInFor } from '#policy/front-ends'
import type { CompiledPolicy } from '#policy/internal/policy'
import { PolicyError } from '#policy/internal/policy-error'
import { fullKeyOf, nameOf } from './documents.js'
import type { DocumentName } from './documents.js'
import type { PolicyCondition, PolicyHealth } from './snapshot.js'

export interface ShelfOptions {
  readonly ports: CompilePorts
}

/** What compiling needs to be told besides the document. */
export interface CompileSettings {
  readonly failOnEmptyAuthorities: boolean
}

interface ShelvedPolicy {
  readonly name: DocumentName
  /** What decides now. */
  readonly policy: CompiledPolicy
  readonly health: PolicyHealth
  readonly lastGood: CompiledPolicy | undefined
  /** Names of ConfigMaps that were asked for. */
  readonly configMaps: ReadonlySet<string>
  /** It depends on something that is not there now and may be there later without a document's changing. */
  readonly retry: boolean
}

/** Deleting a policy takes it away; nothing else does. */
export class PolicyShelf {
  readonly #ports: CompilePorts
  readonly #policies = new Map<string, ShelvedPolicy>()
  /** Documents that are being compiled: of two of one name the later one counts, however long the earlier one takes. */
  readonly #latest = new Map<string, symbol>()

  constructor({ ports }: ShelfOptions) {
    this.#ports = ports
  }

  /** Compiles, and takes the result in. It does not throw for anything that is wrong with the document. */
  async put(document: JsonObject, settings: CompileSettings): Promise<void> {
    const name = nameOf(document)
    const key = fullKeyOf(name)
    const ticket = Symbol(key)
    this.#latest.set(key, ticket)
    const attempt = await this.#compile(document, settings)
    if (this.#latest.get(key) !== ticket) return
    this.#policies.set(key, shelve({ name, document, attempt, before: this.#policies.get(key) }))
  }

  remove(name: DocumentName): void {
    const key = fullKeyOf(name)
    this.#latest.delete(key)
    this.#policies.delete(key)
  }

  get policies(): readonly CompiledPolicy[] {
    return [...this.#policies.values()].map(({ policy }) => policy)
  }

  /** How it stands with each, beside what decides. */
  get health(): readonly { readonly health: PolicyHealth; readonly policy: CompiledPolicy }[] {
    return [...this.#policies.values()]
  }

  get names(): readonly DocumentName[] {
    return [...this.#policies.values()].map(({ name }) => name)
  }

  /** Policies that asked for a ConfigMap. */
  askingFor(configMap: string): readonly DocumentName[] {
    return [...this.#policies.values()].flatMap(({ configMaps, name }) => (configMaps.has(configMap) ? [name] : []))
  }

  /** Policies that may fare better now. */
  get unfinished(): readonly DocumentName[] {
    return [...this.#policies.values()].flatMap(({ retry, name }) => (retry ? [name] : []))
  }

  async #compile(document: JsonObject, settings: CompileSettings): Promise<Attempt> {
    const configMaps = new Set<string>()
    const unusable: unknown[] = []
    const ports: CompilePorts = {
      ...this.#ports,
      configMapText: (name, key) => {
        configMaps.add(name)
        return this.#ports.configMapText(name, key)
      },
      onUnusable: (error) => unusable.push(error),
    }
    try {
      const policy = await compilePolicy(document, { ports, ...settings })
      return { policy, problem: unusable[0], configMaps, retry: unusable.length > 0 }
    } catch (error) {
      return { policy: undefined, problem: error, configMaps, retry: false }
    }
  }
}

interface Attempt {
  readonly policy: CompiledPolicy | undefined
  readonly problem: unknown
  readonly configMaps: ReadonlySet<string>
  readonly retry: boolean
}

interface Shelving {
  readonly name: DocumentName
  readonly document: JsonObject
  readonly attempt: Attempt
  readonly before: ShelvedPolicy | undefined
}

function shelve({ name, document, attempt, before }: Shelving): ShelvedPolicy {
  const { configMaps, retry } = attempt
  const good = attempt.policy !== undefined && attempt.problem === undefined
  const lastGood = good ? attempt.policy : before?.lastGood
  const problem = good ? undefined : asError(attempt.problem)
  const policy = lastGood ?? attempt.policy ?? standInFor(document, problem ?? asError(undefined))
  const condition: PolicyCondition = good ? 'in force' : lastGood === undefined ? 'refusing' : 'last good'
  const health: PolicyHealth = {
    policy: name,
    condition,
    cause: 'policy',
    problem: problem?.message ?? '',
    observedGeneration: generationOf(document),
    warnings: policy.warnings,
  }
  return { name, policy, health, lastGood, configMaps, retry }
}

function asError(problem: unknown): Error {
  if (isCodedError(problem)) return problem
  return new PolicyError(
    'POLICY_FIELD',
    'the policy could not be compiled, for a reason that is a fault of this program',
    {
      cause: problem,
    },
  )
}

function generationOf({ metadata }: JsonObject): number | undefined {
  const generation = isJsonObject(metadata) ? metadata['generation'] : undefined
  return typeof generation === 'number' ? generation : undefined
}
