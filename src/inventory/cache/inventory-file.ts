/** The stored inventory: the answer to what runs, from which every question is answered without asking anybody. @module */
import { isCodedError } from '#errors'
import { InventoryError } from '../inventory-error.js'
import type { Inventory } from '../model.js'
import type { CacheFiles } from './files.js'
import { seal, unseal } from './sealed.js'

/** Replaces the inventory. A crash before leaves the old one, which is whole; entries of the new one are then unused. */
export async function storeInventory(files: CacheFiles, folder: string, inventory: Inventory): Promise<void> {
  await files.write(pathIn(folder), seal(FILE, JSON.stringify(inventory)), { folders: true })
}

/** @throws InventoryError `INVENTORY_MISSING`, `INVENTORY_STORED` */
export async function loadInventory(files: CacheFiles, folder: string): Promise<Inventory> {
  const path = pathIn(folder)
  if (!(await files.exists(path))) {
    throw new InventoryError('INVENTORY_MISSING', 'there is no inventory yet', {
      expected: path,
      hint: 'take one: countersign inventory --cluster, --manifest FILE, or with names of images',
    })
  }
  const text = unseal(FILE, await readStored(files, path))
  // The digest before the text says that this very program wrote it, in this format.
  if (text !== undefined) return JSON.parse(text) as Inventory
  throw new InventoryError('INVENTORY_STORED', 'the stored inventory cannot be read', {
    found: `${path} is damaged, or was written by another version`,
    hint: 'take it again',
  })
}

async function readStored(files: CacheFiles, path: string): Promise<Uint8Array> {
  try {
    return await files.read(path)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new InventoryError('INVENTORY_STORED', 'the stored inventory cannot be read', { found: cause.message, cause })
  }
}

const FILE = 'inventory'

function pathIn(folder: string): string {
  return `${folder}/${FILE}`
}
