/** `countersign inventory`. @module */
import { registryFlags } from '../flags/registry.js'
import { identityFlags, publicKeyFlags } from '../flags/verifying.js'
import {
  evidenceFlags,
  FAILURE_EXIT_CODE,
  inventoryFlags,
  sourceFlags,
  UNKNOWN_EXIT_CODE,
  vexFlags,
} from '../inventory/flags.js'
import { inventoryJson, inventorySummary, unknownImages } from '../inventory/inventory-report.js'
import { collectSources, namesSources } from '../inventory/sources.js'
import { takeFromFlags } from '../inventory/take.js'
import { widthOf } from '../inventory/text.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'

export const command: Command = defineCommand({
  name: 'inventory',
  summary: 'Take an inventory of what runs, from verified bills of materials',
  description:
    'Finds the images that run (in a cluster, in manifests, in a list), fetches their CycloneDX and SPDX attestations, verifies them against ' +
    'the signers that are named, and keeps what they list. `inventory find` then answers from that, and `inventory list` shows it. ' +
    'Taken again, only what is new is fetched.\n\n' +
    'An image without a verified bill of materials is unknown, never clean. OpenVEX documents count only from signers that are named for them.\n\n' +
    'Exit codes: 0 the inventory is taken, 3 something is unknown (with --fail-on-unknown), 2 it could not be taken.',
  args: { usage: '[IMAGE...]', min: 0, max: Infinity },
  flags: {
    ...sourceFlags,
    'fail-on-unknown': { kind: 'boolean', help: 'exit with 3 if any image is unknown' },
    ...inventoryFlags,
    key: publicKeyFlags.key,
    ...identityFlags,
    ...vexFlags,
    ...evidenceFlags,
    ...registryFlags,
  },
  failureExitCode: FAILURE_EXIT_CODE,
  withoutCosignEnvironment: true,
  examples: [
    {
      does: 'of everything that runs in the cluster',
      run: 'inventory --cluster --certificate-identity ci@example.com --certificate-oidc-issuer https://issuer.example.com',
    },
    { does: 'of manifests, with bills of materials signed with a key', run: 'inventory -f deploy/ --key sbom.pub' },
    {
      does: 'honouring the OpenVEX statements of somebody else',
      run: 'inventory --cluster --key sbom.pub --vex-certificate-identity psirt@example.com --vex-certificate-oidc-issuer https://issuer.example.com',
    },
    { does: 'then ask it, for a component or a vulnerability', run: 'inventory find log4j-core' },
    { does: 'or show it', run: 'inventory list' },
  ],

  async run({ args, flags, host, signal, verbose }) {
    if (!namesSources(flags, args)) {
      throw new UsageError('USAGE_FLAG_MISSING', 'nothing says what is to be looked at', {
        expected: '--cluster, --manifest FILE, --image-list FILE, or names of images',
        hint: '`countersign inventory list` shows the inventory that was taken last',
      })
    }
    const collected = await collectSources(host, flags, { images: args, signal })
    const inventory = await takeFromFlags(host, flags, { collected, signal, verbose })
    const text = flags.output === 'json' ? inventoryJson(inventory) : inventorySummary(inventory, widthOf(host))
    host.terminal.write(`${text}\n`)
    return flags['fail-on-unknown'] && unknownImages(inventory).length > 0 ? UNKNOWN_EXIT_CODE : 0
  },
})
