/**
 * Keeps docs/errors.md in step with the code unions of the source.
 *
 *   node scripts/error-codes.mjs           says what differs (exit 1)
 *   node scripts/error-codes.mjs --write   rewrites the table
 *
 * The meaning of a code is the doc comment above it in the union. Where the source has none, the meaning is written by
 * hand in the table and kept; an empty one is refused.
 *
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesBelow } from './build.mjs'

const DOCUMENT = 'docs/errors.md'
const BEGIN = '<!-- codes: rewritten by `npm run docs:errors` -->'
const END = '<!-- end of codes -->'

const COMMENT = String.raw`\/\/[^\n]*\n|\/\*[\s\S]*?\*\/`
/** `export type XErrorCode = | 'A' | 'B'`, possibly over several lines and with comments between. */
const UNION = new RegExp(
  String.raw`^export type (\w*ErrorCode) =((?:\s*\|?\s*(?:'[A-Z0-9_]+'|\w+ErrorCode|${COMMENT}))+)`,
  'gm',
)
const MEMBER = /(?:\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*)?\|?\s*'([A-Z0-9_]+)'/g

const sources = () =>
  filesBelow('src').filter(
    (path) => path.endsWith('.ts') && !path.endsWith('.test.ts') && !path.startsWith('src/testing/'),
  )

const plainText = (comment) =>
  comment
    .replace(/^\s*\* ?/gm, ' ')
    .replace(/\{@link (\w+)[^}]*\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .replaceAll('|', '\\|')
    .trim()

/** @returns {{ code: string, module: string, comment: string }[]} every code, with the module that owns it */
function collectCodes() {
  return sources().flatMap((path) => {
    const module = relative('src', path).split(sep).join('/').replace(/\.ts$/, '')
    return [...readFileSync(path, 'utf8').matchAll(UNION)].flatMap(([, , members]) =>
      [...members.matchAll(MEMBER)].map(([, comment = '', code]) => ({ code, module, comment: plainText(comment) })),
    )
  })
}

/** A union that this script cannot read must not slip through. */
function unreadable() {
  return sources()
    .filter((path) => {
      const text = readFileSync(path, 'utf8')
      return (text.match(/^export type \w*ErrorCode\b/gm) ?? []).length !== [...text.matchAll(UNION)].length
    })
    .map((path) => `${path}: an *ErrorCode is not a plain union of string literals`)
}

function readRows() {
  const text = readFileSync(DOCUMENT, 'utf8')
  const table = text.slice(text.indexOf(BEGIN), text.indexOf(END))
  return [...table.matchAll(/^\| `([A-Z0-9_]+)` *\| `([^`]+)` *\|(.*)\|$/gm)].map(([, code, module, meaning]) => ({
    code,
    module,
    meaning: meaning.trim(),
  }))
}

/** @returns {string[]} what is wrong */
export function checkErrorCodes() {
  const problems = unreadable()
  const rows = new Map(readRows().map((row) => [row.code, row]))
  const seen = new Map()
  for (const { code, module, comment } of collectCodes()) {
    if (seen.has(code)) problems.push(`${code} belongs to ${seen.get(code)} and to ${module}: codes are unique`)
    seen.set(code, module)
    const row = rows.get(code)
    if (row === undefined || row.module !== module || (comment !== '' && row.meaning !== comment)) {
      problems.push(`${code} (${module}) is not in step with ${DOCUMENT}: run \`npm run docs:errors\``)
    } else if (row.meaning === '') {
      problems.push(
        `${code} (${module}) has no meaning: write a doc comment above it, then run \`npm run docs:errors\``,
      )
    }
  }
  for (const code of rows.keys()) {
    if (!seen.has(code)) problems.push(`${code} is in ${DOCUMENT} but in no *ErrorCode of the source`)
  }
  return problems
}

function rewrite() {
  const text = readFileSync(DOCUMENT, 'utf8')
  const known = new Map(readRows().map((row) => [row.code, row.meaning]))
  const key = ({ module, code }) => `${module} ${code}`
  const rows = collectCodes()
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    .map(({ code, module, comment }) => `| \`${code}\` | \`${module}\` | ${comment || (known.get(code) ?? '')} |`)
  const table = ['| Code | Module | Meaning |', '| --- | --- | --- |', ...rows].join('\n')
  writeFileSync(
    DOCUMENT,
    `${text.slice(0, text.indexOf(BEGIN))}${BEGIN}\n\n${table}\n\n${text.slice(text.indexOf(END))}`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.includes('--write')) rewrite()
  const problems = checkErrorCodes()
  for (const problem of problems) console.error(problem)
  process.exit(problems.length > 0 ? 1 : 0)
}
