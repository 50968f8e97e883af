/** What a program can ask for. Everything that it asks is remembered: what nobody asked about is not verified. @module */
import type { JsonValue } from '#encoding/json'
import type { PredicatePolicy } from '../internal/demand.js'
import type { AttestationOutcome, SignatureOutcome } from '../internal/outcome.js'
import { PolicyError } from '../internal/policy-error.js'
import type { CompiledPolicy, ProgramImage, ProgramServices, ReviewProgram } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { evaluateAttestation, evaluateSignature } from './evaluate-demand.js'
import { imageData } from './image-data.js'
import { pinnedName } from './ports.js'
import { isSelected } from './program-images.js'
import type { Session } from './session.js'
import { readImageName } from '../internal/image-name.js'

type State = 'verified' | 'unverified' | 'not-asked'

/**
 * What the programs of one review found out about images, by what they are and not by how they are called. What a policy of a
 * namespace verified, with attestors of its own choice, is nothing to a policy of the cluster.
 */
export class Evidence {
  readonly #found = new Map<string, 'verified' | 'unverified'>()

  /** A later failure does not undo what was verified. */
  note(image: string, verified: boolean, { namespace }: Pick<CompiledPolicy, 'namespace'>): void {
    const key = keyOf(image, namespace)
    if (verified || !this.#found.has(key)) this.#found.set(key, verified ? 'verified' : 'unverified')
  }

  /** As a policy may take it. */
  of(image: string, { namespace }: Pick<CompiledPolicy, 'namespace'>): State {
    const ofCluster = this.#found.get(keyOf(image, undefined))
    if (namespace === undefined || ofCluster === 'verified') return ofCluster ?? 'not-asked'
    return this.#found.get(keyOf(image, namespace)) ?? ofCluster ?? 'not-asked'
  }
}

function keyOf(image: string, namespace: string | undefined): string {
  return `${namespace ?? ''} ${image}`
}

export interface ServiceContext {
  readonly policy: CompiledPolicy
  readonly rule: ReviewProgram
  readonly session: Session
  readonly review: Review
  readonly images: readonly ProgramImage[]
  readonly evidence: Evidence
  readonly outcomes: (SignatureOutcome | AttestationOutcome)[]
}

/** Accepts every statement that was verified, and keeps it. */
function keeping(statements: JsonValue[]): PredicatePolicy {
  return {
    language: 'cel',
    source: '',
    judge: ({ json }) => {
      statements.push(json)
      return { warnings: [] }
    },
  }
}

export function servicesFor(context: ServiceContext): ProgramServices {
  const { policy, rule, session, review, images, evidence, outcomes } = context
  const imageOf = async (text: string): Promise<ProgramImage> => {
    const known = images.find(({ occurrence: { image } }) => image.text === text)
    if (known !== undefined) return known
    const image = readImageName(text)
    const occurrence = { group: '', name: text, path: '', pointer: '', image }
    return { occurrence, pinned: await session.resolve(image) }
  }
  const note = ({ pinned }: ProgramImage, outcome: SignatureOutcome | AttestationOutcome): void => {
    outcomes.push(outcome)
    evidence.note(pinnedName(pinned), outcome.met, policy)
  }
  return {
    circumstances: session.circumstances,
    selects: async (text) => {
      const isKnown = images.some(({ occurrence: { image } }) => image.text === text)
      return isKnown || (await isSelected(rule.images, readImageName(text), session))
    },
    signature: async (text, attestor) => {
      const image = await imageOf(text)
      const outcome = await evaluateSignature({ kind: 'signature', attestor }, { session, pinned: image.pinned })
      note(image, outcome)
      return outcome
    },
    attestation: async (text, ask, attestor) => {
      const image = await imageOf(text)
      const statements: JsonValue[] = []
      const demand = {
        kind: 'attestation',
        ...ask,
        attestor,
        statements: 'any',
        predicate: keeping(statements),
      } as const
      const outcome = await evaluateAttestation(demand, { session, ...image, review })
      note(image, outcome)
      return { outcome, statements }
    },
    imageData: async (text) => {
      const { occurrence, pinned } = await imageOf(text)
      return await imageData(session, occurrence.image, pinned)
    },
    trustRepository: async (repository) => {
      const root = session.trustRepository(repository)
      if (root !== undefined) return await root
      throw new PolicyError('POLICY_TRUST_ROOT', 'TUF repositories that policies name themselves cannot be asked here')
    },
  }
}
