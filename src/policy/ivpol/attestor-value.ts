/** `attestors.name`, as expressions see it: a value that only verifying functions can do something with. @module */
import { Opaque } from '../cel/values.js'
import type { Attestor } from '../internal/attestor.js'

export class AttestorValue extends Opaque {
  override readonly typeName = 'imageverify.attestor'
  readonly name: string
  /** Two of the same are asked only once. */
  readonly id: string
  /** Or why nothing counts for it. */
  readonly attestor: Attestor | { readonly unusable: string }

  constructor(name: string, id: string, attestor: AttestorValue['attestor']) {
    super()
    this.name = name
    this.id = id
    this.attestor = attestor
  }

  override equals(other: Opaque): boolean {
    return other instanceof AttestorValue && other.id === this.id
  }
}
