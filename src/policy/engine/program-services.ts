/** What a program can ask for. Everything that it asks is remembered: what nobody asked about is not verified. @module */
import type { JsonValue } from '#encoding/json'
import type { PredicatePolicy } from '../internal/demand.js'
import type { AttestationOutcome, SignatureOutcome } from '../internal/outcome.js'
import { PolicyError } from '../internal/policy-error.js'
import type { ProgramImage, ProgramServices, ReviewProgram } from '../internal/policy.js'
import type { Review } from '../internal/review.js'
import { evaluateAttestation, evaluateSignature } from './evaluate-demand.js'
import { imageData } from './image-data.js'
import { pinnedName } from './ports.js'
import { isSelected } from './program-images.js'
import type { Session } from './session.js'
import { readImageName } from './session.js'

/** What the programs of one review found out about images, by what they are and not by how they are called. */
export class Evidence {
  readonly #found = new Map<string, 'verified' | 'unverified'>()

  /** A later failure does not undo what was verified. */
  note(image: string, verified: boolean): void {
    if (verified || !this.#found.has(image)) this.#found.set(image, verified ? 'verified' : 'unverified')
  }

  of(image: string): 'verified' | 'unverified' | 'not-asked' {
    return this.#found.get(image) ?? 'not-asked'
  }
}

export interface ServiceContext {
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

export function servicesFor({ rule, session, review, images, evidence, outcomes }: ServiceContext): ProgramServices {
  const imageOf = async (text: string): Promise<ProgramImage> => {
    const known = images.find(({ occurrence: { image } }) => image.text === text)
    if (known !== undefined) return known
    const image = readImageName(text)
    const occurrence = { group: '', name: text, path: '', pointer: '', image }
    return { occurrence, pinned: await session.resolve(image) }
  }
  const note = ({ pinned }: ProgramImage, outcome: SignatureOutcome | AttestationOutcome): void => {
    outcomes.push(outcome)
    evidence.note(pinnedName(pinned), outcome.met)
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
