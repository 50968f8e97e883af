/** Help texts, made from the same table that parsing uses. @module */
import type { CommandData } from './command.js'
import { type Flag, type FlagGroup, type Flags, GLOBAL_FLAGS } from './flags.js'
import { showDuration } from './values.js'

/** One line of the list of all commands. */
export interface CommandListing {
  readonly name: string
  readonly summary: string
  readonly hidden?: boolean
}

export interface HelpStyle {
  readonly columns: number
  /** Explain every flag, also those of the shared groups. */
  readonly full?: boolean
  readonly bold: (text: string) => string
}

const GROUP_TITLES: Readonly<Record<FlagGroup, string>> = {
  identity: 'Who must have signed',
  trust: 'What is trusted',
  services: 'Signing services',
  oidc: 'Identity of the signer',
  registry: 'Registry access',
  global: 'Global flags',
}

/** The help of one command: at most a screen, unless all flags are asked for. */
export function commandHelp(command: CommandData, style: HelpStyle): string {
  const { bold } = style
  const parts = [command.summary + '.']
  if (command.description !== undefined) parts.push(wrapParagraphs(command.description, style.columns))
  const usage = ['countersign', command.name, '[flags]', command.args?.usage ?? ''].join(' ').trim()
  parts.push(`${bold('Usage:')}\n  ${usage}`)
  if (command.examples.length > 0) {
    const examples = command.examples.map(({ does, run }) => `  # ${does}\n  countersign ${run}`)
    parts.push(`${bold('Examples:')}\n${examples.join('\n\n')}`)
  }
  const flags: Flags = command.flags
  const own = visible(flags).filter(([, flag]) => flag.group === undefined)
  if (own.length > 0) parts.push(`${bold('Flags:')}\n${flagTable(own, style.columns)}`)
  for (const [group, title] of Object.entries(GROUP_TITLES)) {
    const all = { ...flags, ...GLOBAL_FLAGS } as Flags
    const members = visible(all).filter(([, flag]) => flag.group === group)
    if (members.length === 0) continue
    const explained = style.full === true || group === 'identity' || group === 'global'
    const body = explained ? flagTable(members, style.columns) : nameList(members, style.columns)
    parts.push(`${bold(`${title}:`)}\n${body}`)
  }
  if (style.full !== true) parts.push(`"countersign ${command.name} --help-all" explains every flag.`)
  return parts.join('\n\n') + '\n'
}

/** The list of commands, or of those of one group such as `trusted-root`. */
export function overviewHelp(commands: readonly CommandListing[], style: HelpStyle, group?: string): string {
  const listed = commands.filter(
    ({ name, hidden }) => hidden !== true && (group === undefined || name.startsWith(`${group} `)),
  )
  const width = Math.max(...listed.map(({ name }) => name.length))
  const lines = listed.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  const title =
    group === undefined ? 'Sign, vouch, admit: a complete Sigstore in one program.' : `Commands of ${group}.`
  const usage = group === undefined ? 'countersign COMMAND [flags]' : `countersign ${group} COMMAND [flags]`
  return (
    [
      title,
      `${style.bold('Usage:')}\n  ${usage}`,
      `${style.bold('Commands:')}\n${lines.join('\n')}`,
      `${style.bold('Global flags:')}\n${flagTable(Object.entries(GLOBAL_FLAGS), style.columns)}`,
      '"countersign COMMAND --help" explains a command and shows examples.',
    ].join('\n\n') + '\n'
  )
}

/** Flags that help and completion show. */
export function visible(flags: Flags): readonly (readonly [string, Flag])[] {
  return Object.entries(flags).filter(([, flag]) => flag.deprecated === undefined && flag.hidden !== true)
}

/** What stands for a flag's value, and nothing for a switch. */
export function placeholderOf(flag: Flag): string {
  if (flag.placeholder !== undefined) return flag.placeholder
  switch (flag.kind) {
    case 'boolean':
      return ''
    case 'path':
      return 'FILE'
    case 'url':
      return 'URL'
    case 'number':
      return 'N'
    case 'duration':
      return 'TIME'
    case 'list':
    case 'repeated':
      return 'VALUE'
    default:
      return flag.choices?.join('|') ?? 'TEXT'
  }
}

/** The default as the help shows it, undefined where there is nothing to say. */
export function shownDefault(flag: Flag): string | undefined {
  switch (flag.kind) {
    case 'boolean':
      return flag.default === true ? 'true' : undefined
    case 'number':
      return String(flag.default)
    case 'duration':
      return showDuration(flag.default)
    case 'list':
    case 'repeated':
      return undefined
    default:
      return flag.default
  }
}

const NARROW = 72

function flagTable(flags: readonly (readonly [string, Flag])[], columns: number): string {
  const rows = flags.map(([name, flag]) => {
    const letter = flag.short === undefined ? '    ' : `-${flag.short}, `
    const value = placeholderOf(flag)
    const fallback = shownDefault(flag)
    return {
      left: `  ${letter}--${name}${value === '' ? '' : ` ${value}`}`,
      right: flag.help + (fallback === undefined ? '' : ` (default ${fallback})`),
    }
  })
  // On a narrow terminal two columns leave no room for sentences: there the explanation goes below its flag.
  const indent = columns < NARROW ? 10 : Math.min(40, Math.max(...rows.map(({ left }) => left.length)) + 2)
  return rows.map(({ left, right }) => twoColumns(left, right, { indent, columns })).join('\n')
}

function twoColumns(left: string, right: string, { indent, columns }: { indent: number; columns: number }): string {
  const lines = wrap(right, Math.max(20, columns - indent))
  const first = left.length + 2 > indent ? `${left}\n${' '.repeat(indent)}` : left.padEnd(indent)
  return first + lines.join(`\n${' '.repeat(indent)}`)
}

function nameList(flags: readonly (readonly [string, Flag])[], columns: number): string {
  return wrap(flags.map(([name]) => `--${name}`).join(' '), columns - 2)
    .map((line) => `  ${line}`)
    .join('\n')
}

function wrapParagraphs(text: string, columns: number): string {
  return text
    .split('\n\n')
    .map((paragraph) => wrap(paragraph, Math.min(columns, 100)).join('\n'))
    .join('\n\n')
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
