/** The verification report as text, for `--explain`. @module */
import { inline } from '../kit/printable.js'
import { CHECKS, type CheckResult, type Report } from '#verify/report'

const MARKS = { passed: '✓', failed: '✗', skipped: '–' } as const

/** One line a check with its outcome; below a failed one, what was expected, found and what to do. */
export function explainReport(report: Report): string {
  return report.map(explainCheck).join('\n')
}

function explainCheck({ name, status, of, detail, expected, found, hint }: CheckResult): string {
  const lines = [`  ${MARKS[status]} ${CHECKS[name]}${of === undefined ? '' : ` (${of})`}: ${inline(detail)}`]
  if (expected !== undefined) lines.push(`      expected: ${inline(expected)}`)
  if (found !== undefined) lines.push(`      found:    ${inline(found)}`)
  if (hint !== undefined) lines.push(`      hint:     ${inline(hint)}`)
  return lines.join('\n')
}
