/** What `attestors` and `attestations` come to: sets are all to be satisfied, of each set as many as it says. @module */
import type { AttestationDemand, Demand, PredicatePolicy } from '../internal/demand.js'
import type { Attestor } from '../internal/attestor.js'
import type { ReadAttestation } from './attestation.js'
import type { AttestorSet, SetMember } from './attestor-set.js'

/** What a `verifyImages` asks for. */
export interface Asked {
  readonly sets: readonly AttestorSet[]
  readonly attestations: readonly ReadAttestation[]
  /** Of type SigstoreBundle: what GitHub writes is a signature in the form of a build provenance. */
  readonly provenanceSigns: boolean
}

/** The judge of the conditions of an attestation. */
export type Judges = (attestation: ReadAttestation) => PredicatePolicy | undefined

/** The types under which a build system says that it made the image. */
const PROVENANCE = ['https://slsa.dev/provenance/v1', 'https://slsa.dev/provenance/v0.2']

/** Undefined if nothing about signatures is asked. */
export function demandOf({ sets, attestations, provenanceSigns }: Asked, judges: Judges): Demand | undefined {
  const signature = (attestor: Attestor): Demand =>
    provenanceSigns ? signatureOrProvenance(attestor) : plain(attestor)
  const of = [
    ...sets.map((set) => setDemand(set, signature)),
    ...attestations.map((attestation) => attestationDemand(attestation, judges(attestation))),
  ]
  return of.length === 0 ? undefined : all('', of)
}

function plain(attestor: Attestor): Demand {
  return { kind: 'signature', attestor }
}

function signatureOrProvenance(attestor: Attestor): Demand {
  const provenances = PROVENANCE.map((predicateType): AttestationDemand => ({
    kind: 'attestation',
    name: 'build provenance',
    predicateType,
    attestor,
    statements: 'any',
  }))
  return { kind: 'count', name: attestor.name, required: 1, of: [plain(attestor), ...provenances] }
}

function setDemand({ name, required, members }: AttestorSet, leaf: (attestor: Attestor) => Demand): Demand {
  return { kind: 'count', name, required, of: members.map((member) => memberDemand(member, leaf)) }
}

function memberDemand(member: SetMember, leaf: (attestor: Attestor) => Demand): Demand {
  if (member.kind === 'set') return setDemand(member.set, leaf)
  if (member.kind === 'attestor') return leaf(member.attestor)
  return nothing(member.name, member.why)
}

function attestationDemand(attestation: ReadAttestation, predicate: PredicatePolicy | undefined): Demand {
  const { place, name, type, sets } = attestation
  if (type === undefined) return nothing(place, 'missing type')
  // In the original, one without attestors counts whoever signed it, as long as Sigstore's own Fulcio certified them.
  if (sets.length === 0) return nothing(place, 'no attestors are named: nobody’s word would count')
  const leaf = (attestor: Attestor): Demand => ({
    kind: 'attestation',
    name: name === '' ? place : name,
    predicateType: type,
    attestor,
    statements: 'all',
    ...(predicate === undefined ? {} : { predicate }),
  })
  return all(
    place,
    sets.map((set) => setDemand(set, leaf)),
  )
}

function all(name: string, of: readonly Demand[]): Demand {
  return { kind: 'count', name, required: of.length, of }
}

/** Asks for nobody, and is never satisfied. */
function nothing(name: string, why: string): Demand {
  return { kind: 'static', name, action: 'fail', message: why }
}
