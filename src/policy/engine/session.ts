/** One review's work on images: each name is resolved once, each list of attachments fetched once, however many policies ask. @module */
import type { JsonValue } from '#encoding/json'
import { referenceName } from '#formats/oci/reference'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { Attestor, KnownKey } from '../internal/attestor.js'
import type { Circumstances, ClusterReader, Once } from '../internal/cluster.js'
import type { Deadline } from '../internal/deadline.js'
import type { NamedImage, PinnedImage } from '../internal/image.js'
import type { PlanServices } from '../internal/policy.js'
import type { RegistryAccess } from '../internal/policy.js'
import type { ReviewImages } from '../internal/review-images.js'
import type { TrustRepository } from '../internal/trust-repository.js'
import { Turns } from '../internal/turns.js'
import type { InTurn } from '../internal/turns.js'
import type { ReadyAttestor } from './candidate.js'
import { pinnedName } from './ports.js'
import type { AttachmentAsk, EnginePorts, FoundCandidates } from './ports.js'
import { trustOf } from './trust.js'
import type { Judged, VerificationSubject } from './verification-memory.js'
import { Waiting } from './waiting.js'
import type { Clock, UnixMillis } from '#time'

/** What all rules of a review have together, with whichever logins. */
interface Shared {
  /** What each name stood for when it was first looked up: the same for all who look. */
  readonly images: ReviewImages
  readonly pins: Map<string, PinnedImage>
  readonly turns: Turns
  readonly answers: Map<object, unknown>
}

export class Session {
  readonly waiting: Waiting
  readonly #ports: EnginePorts
  readonly #resolved = new Map<string, Promise<PinnedImage>>()
  readonly #shared: Shared
  readonly #withAccess = new Map<string, Session>()
  readonly #found = new Map<string, Promise<FoundCandidates>>()
  readonly #configs = new Map<string, Promise<ReadonlyMap<string, JsonValue>>>()
  readonly #roots = new Map<string | undefined, Promise<TrustedRoot>>()
  readonly #keys = new Map<string, Promise<KnownKey>>()
  readonly #ready = new Map<Attestor, Promise<ReadyAttestor>>()
  #circumstances: Circumstances | undefined
  #planServices: PlanServices | undefined

  constructor(ports: EnginePorts, deadline: Deadline, shared: Shared) {
    this.#ports = ports
    this.#shared = shared
    this.waiting = new Waiting(deadline)
  }

  /** The session of one review. */
  static of(images: ReviewImages, ports: EnginePorts, deadline: Deadline): Session {
    const turns = new Turns(ports.clock, deadline)
    return new Session(ports, deadline, { images, pins: new Map(), turns, answers: new Map() })
  }

  get images(): ReviewImages {
    return this.#shared.images
  }

  get now(): UnixMillis {
    return this.#ports.clock()
  }

  /** For what may take long and cannot be interrupted. */
  get inTurn(): InTurn {
    return this.#shared.turns.take
  }

  /** The session of rules that bring logins along. */
  withAccess(access: RegistryAccess | undefined): Session {
    const ports = access === undefined ? undefined : this.#ports.withAccess?.(access)
    if (ports === undefined) return this
    const key = JSON.stringify(access)
    const known = this.#withAccess.get(key) ?? new Session(ports, this.waiting.deadline, this.#shared)
    this.#withAccess.set(key, known)
    return known
  }

  /** What selecting and judging may use. */
  get circumstances(): Circumstances {
    return (this.#circumstances ??= new SessionCircumstances(this.#ports, this, this.#once))
  }

  /** What planning may use. */
  get planServices(): PlanServices {
    return (this.#planServices ??= new SessionServices(this.#ports, this, this.#once))
  }

  readonly #once: Once = <T>(key: object, make: () => T): T => {
    const { answers } = this.#shared
    if (answers.has(key)) return answers.get(key) as T // Sound: whoever asks under a key makes the same kind of answer.
    const answer = make()
    answers.set(key, answer)
    return answer
  }

  /** What a name stands for, the same answer each time: what was verified is what is pinned, whoever moves the tag meanwhile. */
  resolve({ reference }: Pick<NamedImage, 'reference'>): Promise<PinnedImage> {
    const { registry, repository } = reference
    if (reference.kind === 'digest')
      return Promise.resolve({ repository: { registry, repository }, digest: reference.digest })
    const name = referenceName(reference)
    return once(this.#resolved, name, async () => {
      const found = await this.waiting.for(`the digest of ${name}`, () =>
        this.#ports.resolve(reference, this.waiting.signal),
      )
      const { pins } = this.#shared
      const first = pins.get(name) ?? found
      pins.set(name, first)
      return first
    })
  }

  /** Fetched within this session, or within the time of what others wait for, too. */
  attachments(ask: AttachmentAsk, waiting: Waiting = this.waiting): Promise<FoundCandidates> {
    const { pinned, kind, predicateType = '', source } = ask
    const what = `${kind}s of ${pinnedName(pinned)}`
    const key = JSON.stringify([pinnedName(pinned), kind, predicateType, source])
    return once(this.#found, key, () => waiting.for(what, () => this.#ports.attachments(ask, waiting.signal)))
  }

  get remembers(): boolean {
    return this.#ports.memory !== undefined
  }

  /** What was found about the subject before, or what `verify` finds now. */
  async judged(subject: VerificationSubject, verify: (waiting: Waiting) => Promise<Judged>): Promise<Judged> {
    const memory = this.#ports.memory
    if (memory === undefined) return await verify(this.waiting)
    return await this.waiting.for(`the verification of ${pinnedName(subject.pinned)}`, () =>
      memory.judged(subject, (signal) => verify(this.waiting.until(signal))),
    )
  }

  configs(pinned: PinnedImage): Promise<ReadonlyMap<string, JsonValue>> {
    const name = pinnedName(pinned)
    return once(this.#configs, name, () =>
      this.waiting.for(`the configuration of ${name}`, () => this.#ports.configs(pinned, this.waiting.signal)),
    )
  }

  manifest(pinned: PinnedImage): Promise<JsonValue> {
    const name = pinnedName(pinned)
    return this.waiting.for(`the manifest of ${name}`, () => this.#ports.manifest(pinned, this.waiting.signal))
  }

  /** The trusted root of a repository that a policy names itself; undefined: none is asked here. */
  trustRepository(repository: TrustRepository): Promise<TrustedRoot> | undefined {
    const load = this.#ports.trustRepository
    const what = `the TUF repository ${repository.mirror ?? ''}`
    return load === undefined ? undefined : this.waiting.for(what, () => load(repository, this.waiting.signal))
  }

  /** Key and trust of an attestor. @throws whatever says that one of them cannot be had */
  ready(attestor: Attestor): Promise<ReadyAttestor> {
    const known = this.#ready.get(attestor)
    if (known !== undefined) return known
    const pending = this.#prepare(attestor)
    this.#ready.set(attestor, pending)
    return pending
  }

  async #prepare(attestor: Attestor): Promise<ReadyAttestor> {
    const [key, trust] = await Promise.all([this.#key(attestor), trustOf(attestor, (name) => this.#root(name))])
    return { attestor, key, trust }
  }

  #root(name: string | undefined): Promise<TrustedRoot> {
    const what = name === undefined ? 'the trust root' : `the trust root ${name}`
    return once(this.#roots, name, () => this.waiting.for(what, () => this.#ports.trustRoot(name)))
  }

  async #key({ signer }: Attestor): Promise<KnownKey | undefined> {
    if (signer.kind !== 'key') return undefined
    const { source } = signer
    if (source.kind === 'inline') return { key: source.key }
    const what = source.kind === 'kms' ? `the key ${source.uri}` : `the key in the secret ${source.name}`
    return await once(this.#keys, JSON.stringify(source), () =>
      this.waiting.for(what, () => this.#ports.key(source, this.waiting.signal)),
    )
  }
}

/** Whoever wants the signal of a review asks for it: most do not. */
class SessionCircumstances implements Circumstances {
  readonly cluster: ClusterReader
  readonly clock: Clock
  readonly once: Once
  protected readonly session: Session

  constructor({ cluster, clock }: EnginePorts, session: Session, once: Once) {
    this.cluster = cluster
    this.clock = clock
    this.session = session
    this.once = once
  }

  get signal(): AbortSignal {
    return this.session.waiting.signal
  }

  get inTurn(): InTurn {
    return this.session.inTurn
  }
}

class SessionServices extends SessionCircumstances implements PlanServices {
  readonly resolve: PlanServices['resolve'] = (image) => this.session.resolve(image)
  readonly manifest: PlanServices['manifest'] = (image) => this.session.manifest(image)
  readonly configs: PlanServices['configs'] = (image) => this.session.configs(image)
}

/** One answer for all who ask. A refusal is remembered, too: a second try within one review would only take its time. */
function once<K, T>(known: Map<K, Promise<T>>, key: K, work: () => Promise<T>): Promise<T> {
  const pending = known.get(key) ?? work()
  known.set(key, pending)
  return pending
}
