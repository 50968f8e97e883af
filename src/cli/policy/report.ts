/** Verdicts, as a table and as JSON. @module */
import type { ReviewVerdict, RuleVerdict } from '#policy/engine/verdict'

/** The verdict on one resource. */
export interface ResourceVerdict {
  readonly resource: string
  readonly verdict: ReviewVerdict
}

/** One line a rule and image, then the reasons. */
export function verdictTable(results: readonly ResourceVerdict[]): string {
  const rows = results.flatMap(({ resource, verdict }) => [
    ...verdict.rules.map((rule) => [resource, rule.occurrence?.image.text ?? '-', ruleName(rule), rule.verdict]),
    ...verdict.unmatched.map(({ image }) => [resource, image.text, '-', 'no policy']),
    ...(verdict.rules.length + verdict.unmatched.length === 0 ? [[resource, '-', '-', 'nothing to verify']] : []),
  ])
  const table = columns([['RESOURCE', 'IMAGE', 'POLICY', 'VERDICT'], ...rows])
  const reasons = results.flatMap(({ resource, verdict }) => reasonsOf(resource, verdict))
  return [...table, ...(reasons.length > 0 ? ['', ...reasons] : []), '', summary(results)].map(printable).join('\n')
}

function ruleName({ policy, rule }: RuleVerdict): string {
  return rule === '' ? policy : `${policy}/${rule}`
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)))
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

function reasonsOf(resource: string, { rules, message, warnings, allowed, pins }: ReviewVerdict): readonly string[] {
  const refusals = rules.filter(({ verdict }) => verdict === 'denied' || verdict === 'warned' || verdict === 'audited')
  const reported = rules.filter(({ verdict }) => verdict === 'audited')
  return [
    ...(allowed ? [] : [`${resource} is denied:`, ...indented(message)]),
    ...(reported.length === 0
      ? []
      : [`${resource} is admitted and reported:`, ...reported.flatMap((rule) => indented(rule.message))]),
    ...(warnings.length === 0
      ? []
      : [`${resource} has warnings:`, ...warnings.flatMap((warning) => indented(warning))]),
    ...refusals.flatMap(({ expected, signers, ...rule }) => [
      ...expected.map((who) => `  ${ruleName({ ...rule, expected, signers })} expects ${who}`),
      ...signers.map(
        ({ subjects, issuer }) =>
          `  it was signed by ${subjects.join(', ')}${issuer === undefined ? '' : ` by ${issuer}`}`,
      ),
    ]),
    ...pins.map(({ path, to }) => `${resource}: ${path} becomes ${to}`),
  ]
}

function indented(text: string): readonly string[] {
  return text.split('\n').map((line) => `  ${line}`)
}

function summary(results: readonly ResourceVerdict[]): string {
  const denied = results.filter(({ verdict }) => !verdict.allowed).length
  return `${String(results.length - denied)} admitted, ${String(denied)} denied`
}

/** Names and texts come from files of others; they must not move the cursor. */
function printable(line: string): string {
  return line.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, '�')
}

/** Each refusal by itself; images that no policy is about come last. */
function errorsOf({ allowed, message, rules }: ReviewVerdict): readonly string[] {
  if (allowed) return []
  const denials = rules.filter(({ verdict }) => verdict === 'denied').map((rule) => rule.message)
  const others = message.slice(denials.join('\n').length).split(/\n(?=no matching)/)
  return [...denials, ...others.filter((text) => text !== '')]
}

/** For scripts. */
export function verdictJson(results: readonly ResourceVerdict[]): string {
  const document = results.map(({ resource, verdict }) => ({
    resource,
    allowed: verdict.allowed,
    errors: errorsOf(verdict),
    warnings: verdict.warnings,
    rules: verdict.rules.map(({ occurrence, pinned, policy, rule, action, message, expected, signers, ...rest }) => ({
      policy,
      rule,
      action,
      verdict: rest.verdict,
      image: occurrence?.image.text ?? null,
      path: occurrence?.path ?? null,
      digest: pinned?.digest ?? null,
      message,
      expected,
      signers,
    })),
    unmatched: verdict.unmatched.map(({ image, path }) => ({ image: image.text, path })),
    patches: verdict.pins.map(({ pointer, to }) => ({ op: 'replace', path: pointer, value: to })),
  }))
  return JSON.stringify(document, null, 2)
}
