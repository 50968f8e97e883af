/** Why an inventory cannot be taken or asked. @module */
import { CodedError } from '#errors'

export type InventoryErrorCode =
  /** No inventory of this name has been taken yet. */
  | 'INVENTORY_MISSING'
  /** The stored inventory is broken, or of another version of the program: it is to be taken again. */
  | 'INVENTORY_STORED'
  /** The stored inventory is older than was allowed. */
  | 'INVENTORY_STALE'
  /** The stored inventory was taken with other signers or other trust than is asked for now. */
  | 'INVENTORY_TRUST'
  /** What was given names no image at all, so that every answer would be empty. */
  | 'INVENTORY_SOURCE'
  /** What is looked for is nothing that can be looked for. */
  | 'INVENTORY_QUERY'
  /** No vulnerability record that was given is about what was asked: nothing can be said. */
  | 'INVENTORY_NO_RECORD'

/** An inventory that cannot be taken, or that cannot answer. */
export class InventoryError extends CodedError<InventoryErrorCode> {
  override readonly name = 'InventoryError'
}
