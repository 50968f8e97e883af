/** `countersign inventory find`. @module */
import { openEntries } from '#inventory/cache/entries'
import { loadInventory } from '#inventory/cache/inventory-file'
import { InventoryError } from '#inventory/inventory-error'
import type { Inventory } from '#inventory/model'
import type { AnswerVerdict } from '#inventory/query/answer'
import { restrictInventory } from '#inventory/query/restrict'
import { search } from '#inventory/query/search'
import { formatRfc3339 } from '#time'
import { registryFlags } from '../flags/registry.js'
import { identityFlags, publicKeyFlags } from '../flags/verifying.js'
import { answerJson, answerText } from '../inventory/answer-report.js'
import {
  evidenceFlags,
  FAILURE_EXIT_CODE,
  inventoryFlags,
  sourceFlags,
  UNKNOWN_EXIT_CODE,
  vexFlags,
} from '../inventory/flags.js'
import { inventoryFolder } from '../inventory/folder.js'
import { prepareQuestion, readQuestion } from '../inventory/question.js'
import { collectSources, namesCluster, namesSources, type SourceFlags } from '../inventory/sources.js'
import { takeFromFlags, type TakeFlags } from '../inventory/take.js'
import { widthOf } from '../inventory/text.js'
import { namesSigners, prepareTrust } from '../inventory/trust.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'

const EXIT_CODES = { none: 0, found: 1, unknown: UNKNOWN_EXIT_CODE } as const satisfies Record<AnswerVerdict, number>

export const command: Command = defineCommand({
  name: 'inventory find',
  summary: 'Ask which running images have a component or a vulnerability',
  description:
    'Answers from the inventory that was taken last, without asking anybody; with images named as for `inventory`, it is taken anew first. ' +
    'NAME is looked for as a part of names, groups, package URLs and CPEs; NAME@VERSION is one version, and a hash is looked for in hashes.\n\n' +
    'A vulnerability is looked up in a folder of OSV records: its aliases, and the advisories of distributions that pass it on. Whatever cannot be ruled ' +
    'out (an order of versions that nobody knows, a component without a package URL) may be affected; an image without a verified bill of materials, ' +
    'and a record that cannot be read, make the answer unknown.\n\n' +
    'Exit codes: 0 it is nowhere, 1 it is found, 3 it is not found and not ruled out (0 with --fail-on-unknown=false), 2 there is no answer.',
  args: { usage: '[NAME]', min: 0, max: 1 },
  flags: {
    purl: {
      kind: 'string',
      placeholder: 'PURL',
      help: 'look for a package; what the package URL leaves open may be anything',
    },
    cve: {
      kind: 'string',
      placeholder: 'ID',
      help: 'look for a vulnerability, by its id in any database (needs --osv)',
    },
    osv: {
      kind: 'path',
      placeholder: 'FOLDER|FILE',
      help: 'records of the OSV schema, a .json file each; without --cve, look for all of them',
    },
    since: {
      kind: 'string',
      placeholder: 'TIME',
      help: 'only vulnerabilities published since: 2026-01-31, or 7d for a week ago',
    },
    exact: { kind: 'boolean', help: 'the name as a whole, not a part of it' },
    offline: { kind: 'boolean', help: 'answer from the stored inventory, also for images that are named' },
    'max-age': { kind: 'duration', default: 0, help: 'refuse an inventory that is older (0: any age)' },
    'fail-on-unknown': { kind: 'boolean', default: true, help: 'exit with 3 if it is not ruled out' },
    ...inventoryFlags,
    ...sourceFlags,
    key: publicKeyFlags.key,
    ...identityFlags,
    ...vexFlags,
    ...evidenceFlags,
    ...registryFlags,
  },
  failureExitCode: FAILURE_EXIT_CODE,
  withoutCosignEnvironment: true,
  examples: [
    { does: 'who runs log4j', run: 'inventory find log4j-core' },
    {
      does: 'one version of a package',
      run: 'inventory find --purl pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1',
    },
    { does: 'a vulnerability, from records on this machine', run: 'inventory find --cve CVE-2021-44228 --osv ./osv' },
    {
      does: 'everything that became known this week, as JSON',
      run: 'inventory find --osv ./osv --since 7d --output json',
    },
    {
      does: 'in CI: fails for what is found, and for what is not known',
      run: 'inventory find --osv ./osv --image-list images.txt --key sbom.pub',
    },
  ],

  async run({ args, flags, host, signal, verbose }) {
    const asked = readQuestion(args, flags, host.clock())
    const inventory = await inventoryOf(host, flags, { signal, verbose })
    const entries = openEntries(host.files, inventoryFolder(host, flags))
    const question = await prepareQuestion(host, asked, { inventory, entries })
    const answer = await search(inventory, entries, question)
    host.terminal.write(`${flags.output === 'json' ? answerJson(answer) : answerText(answer, widthOf(host))}\n`)
    if (answer.verdict === 'unknown' && !flags['fail-on-unknown']) return 0
    return EXIT_CODES[answer.verdict]
  },
})

interface FindFlags extends SourceFlags, TakeFlags {
  readonly offline: boolean
  readonly 'max-age': number
}

interface Context {
  readonly signal: AbortSignal
  readonly verbose: boolean
}

async function inventoryOf(host: Host, flags: FindFlags, context: Context): Promise<Inventory> {
  const { signal } = context
  const isNamed = namesSources(flags, [])
  if (isNamed && !flags.offline) {
    const collected = await collectSources(host, flags, { images: [], signal })
    return await takeFromFlags(host, flags, { collected, ...context })
  }
  if (flags.offline && namesCluster(flags)) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'a cluster cannot be read offline', {
      hint: 'leave out --offline, or --cluster: the stored inventory answers without it',
    })
  }
  const stored = await loadInventory(host.files, inventoryFolder(host, flags))
  checkAge(stored, flags['max-age'], host.clock())
  if (namesSigners(flags)) await checkTrust(host, flags, { stored, signal })
  if (!isNamed) return stored
  const collected = await collectSources(host, flags, { images: [], signal })
  return restrictInventory(
    stored,
    collected.flatMap(({ sightings }) => sightings),
  )
}

function checkAge({ takenAt }: Inventory, maxAge: number, now: number): void {
  if (maxAge <= 0 || now - takenAt <= maxAge) return
  throw new InventoryError('INVENTORY_STALE', 'the stored inventory is too old', {
    expected: `one that was taken since ${formatRfc3339(now - maxAge)}`,
    found: `taken ${formatRfc3339(takenAt)}`,
    hint: 'take it again',
  })
}

/** Signers that are named must be those that the inventory was taken with. */
async function checkTrust(
  host: Host,
  flags: FindFlags,
  { stored, signal }: { readonly stored: Inventory; readonly signal: AbortSignal },
): Promise<void> {
  const { fingerprint, sboms, vex } = await prepareTrust(host, flags, signal)
  if (fingerprint === stored.trust.fingerprint) return
  throw new InventoryError(
    'INVENTORY_TRUST',
    'the stored inventory was taken with other signers, or another trusted root',
    {
      expected: [...sboms.names, ...(vex?.names ?? []).map((name) => `OpenVEX ${name}`)].join('; '),
      found: [...stored.trust.sboms, ...stored.trust.vex.map((name) => `OpenVEX ${name}`)].join('; '),
      hint: 'take it again with these signers, or leave them out',
    },
  )
}
