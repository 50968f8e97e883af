/** `countersign inventory list`. @module */
import { loadInventory } from '#inventory/cache/inventory-file'
import { FAILURE_EXIT_CODE, inventoryFlags, UNKNOWN_EXIT_CODE } from '../inventory/flags.js'
import { inventoryFolder } from '../inventory/folder.js'
import { inventoryJson, inventoryTable, takenLines, unknownImages } from '../inventory/inventory-report.js'
import { widthOf } from '../inventory/text.js'
import { type Command, defineCommand } from '../kit/command.js'

export const command: Command = defineCommand({
  name: 'inventory list',
  summary: 'Show the inventory that was taken last',
  description:
    'Every image with the bills of materials that were verified for it, or the reason why there is none. Nothing is asked of anybody.\n\n' +
    'Exit codes: 0 shown, 3 something is unknown (with --fail-on-unknown), 2 there is no inventory.',
  flags: {
    'fail-on-unknown': { kind: 'boolean', help: 'exit with 3 if any image is unknown' },
    ...inventoryFlags,
  },
  failureExitCode: FAILURE_EXIT_CODE,
  withoutCosignEnvironment: true,
  examples: [
    { does: 'what runs, and who signed its bill of materials', run: 'inventory list' },
    { does: 'for scripts, with every ignored attestation', run: 'inventory list --output json' },
  ],

  async run({ flags, host }) {
    const inventory = await loadInventory(host.files, inventoryFolder(host, flags))
    if (flags.output === 'json') host.terminal.write(`${inventoryJson(inventory)}\n`)
    else {
      const width = widthOf(host)
      host.terminal.write(`${takenLines(inventory, width).join('\n')}\n\n${inventoryTable(inventory, width)}\n`)
    }
    return flags['fail-on-unknown'] && unknownImages(inventory).length > 0 ? UNKNOWN_EXIT_CODE : 0
  },
})
