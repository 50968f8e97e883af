/**
 * A reporter for node:test that prints what failed in full, what passed not at all, and the closing counts.
 *
 * @module
 */
import { relative } from 'node:path'
import { inspect } from 'node:util'

const COUNTS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /

const indent = (text) => text.replace(/^/gm, '    ')

function describeFailure({ name, file, line, details }) {
  const error = details.error?.cause ?? details.error
  const place = file === undefined ? '' : ` (${relative(process.cwd(), file)}:${line})`
  return `✖ ${name}${place}\n${indent(inspect(error, { depth: 6 }))}\n\n`
}

/** A failed parent only repeats what its children said. */
const isEcho = (data) => data.details.error?.failureType === 'subtestsFailed'

export default async function* reporter(source) {
  for await (const { type, data } of source) {
    if (type === 'test:fail' && data.todo === undefined && !isEcho(data)) yield describeFailure(data)
    else if (type === 'test:stderr') yield data.message
    else if (type === 'test:diagnostic' && COUNTS.test(data.message)) yield `ℹ ${data.message}\n`
  }
}
