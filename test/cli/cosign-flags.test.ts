/**
 * Every flag of cosign 3, the deprecated ones too, is known here by its name: a command line written for cosign is understood, or
 * refused for a reason, and never refused for a name. `cosign-flags.json` was read off cosign 3.1; test/interop holds it
 * against the real one.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { CommandData } from '#cli/kit/command'
import { allFlags } from '#cli/kit/parse'

const root = new URL('../../../', import.meta.url)
const read = (path: string): unknown => JSON.parse(readFileSync(new URL(path, root), 'utf8'))
const theirs = read('test/cli/cosign-flags.json') as Readonly<Record<string, readonly string[]>>
const ours = new Map(
  (read('dist/bin/commands.json') as readonly CommandData[]).map((command) => [command.name, command]),
)

for (const [name, flags] of Object.entries(theirs)) {
  test(`${name} knows all ${String(flags.length)} flags of cosign`, () => {
    const command = ours.get(name)
    assert.ok(command !== undefined)
    const known = Object.entries(allFlags(command)).flatMap(([flag, { aliases = [] }]) => [flag, ...aliases])
    assert.deepEqual(
      flags.filter((flag) => !known.includes(flag)),
      [],
    )
  })
}
