/**
 * Runs the static half of the Sigstore conformance suite against test/conformance/client.
 *
 *   node scripts/conformance.mjs SHARED     SHARED/conformance/run.mjs is the runner, with the suite's cases beside it
 *
 * Every case must come out as the suite wants it, and a rejection must be a verdict: not a crash, not a usage error.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outsideFolder, withoutExtraCertificates } from './outside.mjs'

const CASES = 140

const runner = outsideFolder(process.argv[2], 'conformance/run.mjs')
const scratch = mkdtempSync(join(tmpdir(), 'countersign-conformance-'))
const report = join(scratch, 'report.json')
try {
  const { status } = spawnSync(
    process.execPath,
    [runner, '--entrypoint', 'test/conformance/client', '--quiet', '--json', report],
    { stdio: 'inherit', env: withoutExtraCertificates() },
  )
  const { results } = JSON.parse(readFileSync(report, 'utf8'))
  const suspects = results.filter((result) => result.suspect !== undefined)
  for (const { name, suspect } of suspects) console.error(`${name} was rejected by "${suspect}", which is no verdict`)
  if (results.length < CASES) console.error(`only ${results.length} of ${CASES} cases ran`)
  process.exitCode = status === 0 && suspects.length === 0 && results.length >= CASES ? 0 : 1
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
