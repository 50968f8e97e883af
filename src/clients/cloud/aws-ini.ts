/**
 * The files of AWS' tools: sections of settings, as the AWS SDKs and Tools Reference Guide describes them. Lines are
 * read as by its client for Go (`config/internal/ini`); what that passes over in silence, such as settings before any section, is refused
 * here: a login that is overlooked is another login.
 *
 * @module
 */
import { CloudError } from './cloud-error.js'

/** By name, in lower case; of two with one name the last one counts. A value of several lines has line breaks in it. */
export type IniSection = ReadonlyMap<string, string>
/** By what stands in the brackets: `default`, `profile NAME`, `sso-session NAME`. A section that comes twice is one. */
export type IniFile = ReadonlyMap<string, IniSection>

/** @throws CloudError CLOUD_SETTINGS, with the number of the line and nothing of what it says */
export function parseIni(text: string, what: string): IniFile {
  const sections = new Map<string, Map<string, string>>()
  let section: Map<string, string> | undefined
  let name: string | undefined
  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const trimmed = line.trim()
    if (trimmed === '' || /^[#;]/.test(trimmed)) continue
    const refused = (expected: string): CloudError => malformed(what, index + 1, expected)
    const separator = trimmed.search(/[=:]/)
    const isIndented = /^[ \t]/.test(line)
    const before = name === undefined ? undefined : section?.get(name)
    if (trimmed.startsWith('[')) {
      const title = readTitle(trimmed)
      if (title === undefined) throw refused('[NAME], [profile NAME] or [sso-session NAME]')
      section = sections.get(title) ?? new Map<string, string>()
      sections.set(title, section)
      name = undefined
    } else if (section === undefined) {
      throw refused('a section before any setting')
    } else if (isIndented && separator < 0) {
      if (name === undefined) throw refused('a line that goes on with the setting before it')
      if (before !== '') section.set(name, `${before ?? ''}\n${trimmed}`)
    } else if (!isIndented || before !== '') {
      // Below a setting without a value are settings of a service, which say nothing of logins.
      const key = trimmed.slice(0, Math.max(separator, 0)).trim()
      if (key === '') throw refused('NAME = VALUE')
      name = key.toLowerCase()
      section.set(name, readValue(trimmed.slice(separator + 1)))
    }
  }
  return sections
}

const TITLE = /^\[([^[\]]*)\]\s*(?:[#;].*)?$/

function readTitle(line: string): string | undefined {
  const inner = (TITLE.exec(line)?.[1] ?? '').trim()
  const end = inner.search(/[ \t]/)
  const name = unquoted(inner.slice(end + 1).trim())
  if (name === '') return undefined
  return end < 0 ? name : `${inner.slice(0, end)} ${name}`
}

/** A comment begins behind a space. */
function readValue(text: string): string {
  const [value = ''] = text.split(/[ \t][#;]/)
  return unquoted(value.trim())
}

function unquoted(text: string): string {
  return /^(?:"[^"]*"|'[^']*')$/.test(text) ? text.slice(1, -1) : text
}

function malformed(what: string, line: number, expected: string): CloudError {
  return new CloudError('CLOUD_SETTINGS', `${what} is not a file of settings for AWS`, {
    expected,
    found: `something else in line ${String(line)}`,
  })
}
