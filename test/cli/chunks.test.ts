/** What commands load before anybody asks for it (ADR 6). @module */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'node:test'

const bin = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bin')

const read = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(join(bin, folder))
      .filter((name) => name.endsWith('.cjs'))
      .map((name) => [name, readFileSync(join(bin, folder, name), 'latin1')] as const),
  )

test('clients of key management services are in a chunk of their own, which no command begins with', () => {
  const mark = 'cloudkms.googleapis.com'
  const commands = read('commands')
  assert.ok(commands.size > 20)
  for (const [name, text] of commands) assert.ok(!text.includes(mark), name)
  const holders = [...read('lib')].flatMap(([name, text]) => (text.includes(mark) ? [name] : []))
  assert.deepEqual(holders, ['keys-kms.cjs'])
})
