/**
 * Transcripts of the built program. In a transcript
 *
 *     $ COMMAND      runs in a shell, in a folder of its own, with `countersign` on the path
 *     | LINE         a line of standard output; … stands for anything
 *     ! LINE         a line of standard error
 *     ? N            the exit code, where it is not 0
 *     < FILE         the lines that follow, up to an empty one, are written to the file
 *     # …            a remark
 *
 * @module
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, describe, test } from 'node:test'

const here = dirname(fileURLToPath(import.meta.url))
const bin = join(here, '..', '..', '..', 'bin')
const folder = mkdtempSync(join(tmpdir(), 'countersign-transcript-'))
after(() => {
  rmSync(folder, { recursive: true, force: true })
})

interface Step {
  readonly command: string
  readonly stdout: string[]
  readonly stderr: string[]
  code: number
}

function readTranscript(text: string, where: string): readonly Step[] {
  const steps: Step[] = []
  const lines = text.split('\n')
  for (let line = lines.shift(); line !== undefined; line = lines.shift()) {
    const [mark, rest] = [line.slice(0, 1), line.slice(2)]
    const step = steps[steps.length - 1]
    if (mark === '<') {
      const end = lines.indexOf('')
      writeFileSync(join(where, rest), `${lines.splice(0, end === -1 ? lines.length : end).join('\n')}\n`)
    } else if (mark === '$') steps.push({ command: rest, stdout: [], stderr: [], code: 0 })
    else if (mark === '|') step?.stdout.push(rest)
    else if (mark === '!') step?.stderr.push(rest)
    else if (mark === '?' && step !== undefined) step.code = Number(rest)
    else assert.ok(mark === '' || mark === '#', `not a line of a transcript: ${line}`)
  }
  return steps
}

/** Whether what was printed is what was expected, with … for anything within a line. */
function same(actual: string, expected: readonly string[]): boolean {
  const pattern = expected
    .map((line) =>
      line
        .split('…')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('.*'),
    )
    .join('\n')
  return new RegExp(`^${pattern}\n?$`).test(actual)
}

for (const name of readdirSync(here).filter((file) => file.endsWith('.txt'))) {
  describe(name, () => {
    const where = mkdtempSync(join(folder, 'run-'))
    for (const { command, stdout, stderr, code } of readTranscript(readFileSync(join(here, name), 'utf8'), where)) {
      test(command, () => {
        const env = { PATH: `${bin}:${process.env['PATH'] ?? ''}`, HOME: where, COSIGN_PASSWORD: 'secret' }
        const ran = spawnSync('sh', ['-c', command], { cwd: where, env, encoding: 'utf8' })
        const shown = `exit ${String(ran.status)}\n--- stdout\n${ran.stdout}--- stderr\n${ran.stderr}`
        assert.equal(ran.status, code, shown)
        assert.ok(same(ran.stdout, stdout), `standard output differs\n${shown}`)
        assert.ok(same(ran.stderr, stderr), `standard error differs\n${shown}`)
      })
    }
  })
}
