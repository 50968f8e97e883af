/** Asking the original programs: Go wrappers that read questions and write answers, a line each. @module */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

/** The program of that name, as `scripts/oracles.mjs` built it, or undefined where Go is missing. */
export function oracleNamed(name: string): string | undefined {
  const path = join(process.env['ORACLES'] ?? join(homedir(), '.cache', 'countersign', 'oracles'), name)
  return existsSync(path) ? path : undefined
}

/** Puts all questions to an oracle at once. */
export function askOracle(oracle: string, questions: readonly unknown[]): readonly unknown[] {
  const input = questions.map((question) => `${JSON.stringify(question)}\n`).join('')
  const { status, stdout, stderr } = spawnSync(oracle, { input, encoding: 'utf8', maxBuffer: 1 << 30 })
  if (status !== 0) throw new Error(`${oracle}: ${stderr}`)
  const answers = stdout.trimEnd().split('\n')
  if (answers.length !== questions.length)
    throw new Error(`${oracle} answered ${String(answers.length)} of ${String(questions.length)}`)
  return answers.map((line) => JSON.parse(line) as unknown)
}
