/** Texts of others in columns: nothing in them moves the cursor, and no row is longer than the terminal. @module */
import type { InventoryImage, Signer, Workload } from '#inventory/model'
import type { Host } from '../kit/host.js'
import { printable } from '../kit/printable.js'

/** One line, without what a terminal would act on. */
export function harmless(text: string): string {
  return printable(text).replace(/\s+/g, ' ').trim()
}

/** The same as JSON, where escapes do it. */
export function harmlessJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replace(
    /[\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** As wide as the terminal; what goes into a file or a pipe is not cut. */
export function widthOf({ terminal }: Host): number {
  return terminal.stdoutIsTty ? terminal.columns : Infinity
}

/**
 * Rows in columns, two spaces between them. What is longer than the line goes on in the last column, or where that has too
 * little room left, on lines of its own below: why an image is unknown must not be cut off.
 */
export function table(
  rows: readonly (readonly string[])[],
  { width, indent = '' }: { readonly width: number; readonly indent?: string },
): readonly string[] {
  const clean = rows.map((row) => row.map(harmless))
  const last = (clean[0]?.length ?? 1) - 1
  const widths = Array.from({ length: last }, (_, column) =>
    Math.min(MAX_CELL, Math.max(...clean.map((row) => (row[column] ?? '').length))),
  )
  const left = widths.reduce((sum, each) => sum + each + 2, indent.length)
  const longest = Math.max(...clean.map((row) => (row[last] ?? '').length))
  const isBelow = left + longest > width && width - left < MIN_LAST
  return clean.flatMap((row, index) => {
    const cells = row.slice(0, last).map((cell, column) => `${cut(cell, MAX_CELL).padEnd(widths[column] ?? 0)}  `)
    const line = `${indent}${cells.join('')}`
    const text = row[last] ?? ''
    if (isBelow && index === 0) return [cut(`${line}${text}`, width)]
    if (isBelow) {
      const below = `${indent}    `
      return [
        cut(line.trimEnd(), width),
        ...(text === '' ? [] : chop(text, width - below.length).map((each) => below + each)),
      ]
    }
    const [first = '', ...more] = chop(text, width - left)
    return [`${line}${first}`.trimEnd(), ...more.map((each) => `${' '.repeat(left)}${each}`)]
  })
}

/** Longer names are cut in the middle of a table; the JSON form has all of them. */
const MAX_CELL = 60
/** Of the last column, beside the others. */
const MIN_LAST = 36

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(1, width - 1))}…`
}

/** At spaces, and where there are none in the middle of a word. */
function chop(text: string, room: number): readonly string[] {
  return wrap(text, room).flatMap((line) =>
    line.length <= room ? [line] : (line.match(new RegExp(`.{1,${String(room)}}`, 'gs')) ?? []),
  )
}

/** `label   text`, continued below where the text is longer than the line. */
export function labelled(label: string, text: string, width: number): readonly string[] {
  const left = `  ${label.padEnd(10)} `
  const room = Math.max(20, width - left.length)
  return wrap(harmless(text), room).map((line, index) => `${index === 0 ? left : ' '.repeat(left.length)}${line}`)
}

/** A sentence over as many lines as it needs. */
export function sentence(text: string, width: number): readonly string[] {
  return wrap(harmless(text), width)
}

/** At spaces; what has none is left whole, since a digest in two is none. */
function wrap(text: string, room: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

/** `prod/Deployment/shop` */
export function workloadName({ namespace, kind, name }: Workload): string {
  return [namespace, kind, name].filter((part) => part !== undefined).join('/')
}

/** Each once; of many the first few. */
export function workloadNames({ workloads }: Pick<InventoryImage, 'workloads'>): string {
  const names = [...new Set(workloads.map(workloadName))].sort()
  const more = names.length - MAX_WORKLOADS
  return more > 0 ? `${names.slice(0, MAX_WORKLOADS).join(', ')} and ${String(more)} more` : names.join(', ')
}

const MAX_WORKLOADS = 8

export function signerName({ identity, issuer }: Signer): string {
  return issuer === undefined ? identity : `${identity} (${issuer})`
}

export function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? '' : 's'}`
}
