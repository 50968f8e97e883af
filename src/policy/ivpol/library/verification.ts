/** Signatures and attestations of images. What an expression gets is what was verified, or nothing. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { evaluationError } from '../../cel/cel-error.js'
import { free } from '../../cel/environment.js'
import type { Library, World } from '../../cel/environment.js'
import { fromJson, fromJsonText } from '../../cel/json.js'
import { dyn, int, list, string } from '../../cel/kind.js'
import { PENDING, typeNameOf } from '../../cel/values.js'
import type { CelList, CelValue, Outcome } from '../../cel/values.js'
import { AttestorValue } from '../attestor-value.js'
import { servicesOf, surroundingsOf } from '../contexts.js'
import type { Findings } from '../contexts.js'

/** An attestation that the policy declares. */
export type DeclaredAttestation =
  | { readonly name: string; readonly kind: 'intoto'; readonly predicateType: string }
  /** Of OCI referrers only Notary says who signed them. */
  | { readonly name: string; readonly kind: 'referrer'; readonly type: string }

type Declared = ReadonlyMap<string, DeclaredAttestation>

const attestors = list(dyn)

/** The functions, for a policy that declares these attestations. */
export function verification(declared: Declared): Library {
  return {
    verifyImageSignatures: [free([string, attestors], int, ([image, of], world) => signatures(image, of, world))],
    verifyAttestationSignatures: [
      free([string, string, attestors], int, ([image, name, of], world) =>
        attestations(image, attestationNamed(declared, name), { of, world }),
      ),
    ],
    extractPayload: [
      free([string, string], dyn, ([image, name], world) => payload(image, attestationNamed(declared, name), world)),
    ],
    getImageData: [free([string], dyn, ([image], world) => imageDataOf(image, world))],
  }
}

function attestationNamed(declared: Declared, name: string): DeclaredAttestation {
  const found = declared.get(name)
  if (found !== undefined) return found
  throw evaluationError(`attestation not found in policy: ${name}`)
}

function signatures(image: string, of: CelList, world: World): Outcome {
  const services = servicesOf(world)
  return counted(image, of, {
    world,
    ask: (attestor, { attestor: usable }) =>
      world.asks.ask(`signature ${JSON.stringify([image, attestor.id])}`, async () => {
        const { met } = await services.signature(image, usable)
        return met
      }),
  })
}

function attestations(
  image: string,
  attestation: DeclaredAttestation,
  { of, world }: { readonly of: CelList; readonly world: World },
): Outcome {
  const services = servicesOf(world)
  const { findings } = surroundingsOf(world)
  return counted(image, of, {
    world,
    ask: (attestor, { attestor: usable }) => {
      if (attestation.kind === 'referrer') {
        // Whoever can write to the registry can attach a referrer.
        findings.unusable.set(
          `${attestor.name} on ${attestation.name}`,
          `${attestation.name} is a referrer that only Notary signs: what an attestor of cosign says is not about it`,
        )
        return false
      }
      const { name, predicateType } = attestation
      const question = `attestation ${JSON.stringify([image, name, attestor.id])}`
      const met = world.asks.ask(question, async () => {
        const { outcome, statements } = await services.attestation(image, { name, predicateType }, usable)
        const last = statements.at(-1)
        if (outcome.met && last !== undefined) findings.verified.set(question, last)
        return outcome.met
      })
      // In the order of the expressions, and not in that in which the answers came.
      if (met === true) findings.statements.set(statementKey(image, name), findings.verified.get(question))
      return met
    },
  })
}

interface Counting {
  readonly world: World
  readonly ask: (
    value: AttestorValue,
    usable: { readonly attestor: Exclude<AttestorValue['attestor'], { readonly unusable: string }> },
  ) => Outcome
}

/** How many attestors count. All are asked at once; an image that the policy is not about counts for none. */
function counted(image: string, of: CelList, { world, ask }: Counting): Outcome {
  const values = of.map(attestorOf)
  const services = servicesOf(world)
  const selected = world.asks.ask(`selects ${image}`, () => services.selects(image))
  if (selected === false) return 0n
  if (selected === PENDING) return PENDING
  const { unusable } = surroundingsOf(world).findings
  let count = 0n
  let pending = false
  for (const value of values) {
    const outcome = answerOf(value, ask, unusable)
    if (outcome === PENDING) pending = true
    else if (outcome === true) count++
  }
  return pending ? PENDING : count
}

function answerOf(value: AttestorValue, ask: Counting['ask'], unusable: Findings['unusable']): Outcome {
  const { attestor } = value
  if (!('unusable' in attestor)) return ask(value, { attestor })
  unusable.set(value.name, attestor.unusable)
  return false
}

function attestorOf(value: CelValue): AttestorValue {
  if (value instanceof AttestorValue) return value
  throw evaluationError(`expected an attestor of the policy, such as attestors.name, and found ${typeNameOf(value)}`)
}

function payload(image: string, { name }: DeclaredAttestation, world: World): Outcome {
  const found = surroundingsOf(world).findings.statements.get(statementKey(image, name))
  if (found !== undefined) return fromJsonText(found as JsonValue)
  throw evaluationError(
    `failed to get payload: the attestation ${name} of ${image} is not there to read before its signature was verified`,
  )
}

function statementKey(image: string, attestation: string): string {
  return JSON.stringify([image, attestation])
}

/** Also `image.GetMetadata`. */
export function imageDataOf(image: string, world: World): Outcome {
  const services = servicesOf(world)
  return world.asks.ask(`image data ${image}`, async () => {
    const data = await services.imageData(image)
    return fromJson(isJsonObject(data) ? data : {})
  })
}
