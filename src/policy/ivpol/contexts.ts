/** What functions of Kyverno reach through expressions: the cluster, and the services of the review. @module */
import type { World } from '../cel/environment.js'
import { evaluationError } from '../cel/cel-error.js'
import { Opaque } from '../cel/values.js'
import type { Timestamp } from '../cel/values.js'
import type { Circumstances } from '../internal/cluster.js'
import type { ProgramServices } from '../internal/policy.js'

/** A variable with functions of its own and nothing else: `resource`, `json`. */
export class Namespace extends Opaque {
  override readonly typeName: string

  constructor(typeName: string) {
    super()
    this.typeName = typeName
  }
}

/** What a policy finds out about images while it is evaluated. */
export interface Findings {
  /** Statements that were verified, by what was asked. */
  readonly verified: Map<string, unknown>
  /** Attestors that this round asked for and that cannot be verified, with the reason. */
  readonly unusable: Map<string, string>
  /** The statement that this round verified last, by image and attestation. */
  readonly statements: Map<string, unknown>
}

/** Under this name, which no expression can write, functions find it. */
export const SURROUNDINGS = '@surroundings'

/** What surrounds one evaluation. */
export class Surroundings extends Opaque {
  override readonly typeName = 'surroundings'
  readonly circumstances: Circumstances
  /** Undefined while it is only being decided whether the policy applies. */
  readonly services: ProgramServices | undefined
  readonly now: Timestamp
  readonly findings: Findings = { verified: new Map(), unusable: new Map(), statements: new Map() }

  constructor(circumstances: Circumstances, services: ProgramServices | undefined, now: Timestamp) {
    super()
    this.circumstances = circumstances
    this.services = services
    this.now = now
  }

  /** Expressions are evaluated from the start again: none may see what only a later one asks. */
  beginRound(): void {
    this.findings.unusable.clear()
    this.findings.statements.clear()
  }
}

/** @throws CelError `CEL_EVALUATION` where an expression is evaluated without any */
export function surroundingsOf(world: World): Surroundings {
  const found = world.lookup(SURROUNDINGS)
  if (found instanceof Surroundings) return found
  throw evaluationError('this function cannot be used here')
}

/** @throws CelError `CEL_EVALUATION` before the policy applies */
export function servicesOf(world: World): ProgramServices {
  const { services } = surroundingsOf(world)
  if (services !== undefined) return services
  throw evaluationError('images are asked about only once the policy applies')
}
