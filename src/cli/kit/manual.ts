/** The manual pages in docs/cli, made from the table of commands. @module */
import type { CommandData } from './command.js'
import { variablesOf } from './environment.js'
import type { Flag } from './flags.js'
import { placeholderOf, shownDefault, visible } from './help.js'
import { allFlags } from './parse.js'

const GENERATED = '<!-- Generated from src/cli/commands by `npm run docs:cli`. Do not edit. -->'

/** One page as Markdown. */
export function manualPage(command: CommandData): string {
  const { name, summary, description, args, examples } = command
  const usage = ['countersign', name, '[flags]', args?.usage ?? ''].join(' ').trim()
  const parts = [GENERATED, `# countersign ${name}`, `${summary}.`]
  if (command.deprecated !== undefined) parts.push(`Deprecated: ${command.deprecated}.`)
  if (description !== undefined) parts.push(description)
  parts.push('```\n' + usage + '\n```')
  if (examples.length > 0) {
    parts.push(
      '## Examples',
      '```sh\n' + examples.map(({ does, run }) => `# ${does}\ncountersign ${run}`).join('\n\n') + '\n```',
    )
  }
  const all = Object.entries(allFlags(command))
  parts.push('## Flags', flagTable(visible(allFlags(command)), command))
  const deprecated = all.filter(([, flag]) => flag.deprecated !== undefined)
  if (deprecated.length > 0)
    parts.push('## Deprecated flags', 'They work, and say so when they are used.', flagTable(deprecated, command))
  return parts.join('\n\n') + '\n'
}

/** The index of the manual. @public for scripts/cli-docs.mjs */
export function manualIndex(commands: readonly CommandData[]): string {
  const rows = commands
    .filter(({ hidden }) => hidden !== true)
    .map(({ name, summary }) => `| [${name}](${manualFile(name)}) | ${cell(summary)} |`)
  return [GENERATED, '# Commands', ['| command | does |', '|---|---|', ...rows].join('\n')].join('\n\n') + '\n'
}

/** The file name of a command's page. */
export function manualFile(name: string): string {
  return `${name.replaceAll(' ', '-')}.md`
}

function flagTable(flags: readonly (readonly [string, Flag])[], command: CommandData): string {
  const rows = flags.map(([name, flag]) => {
    const letter = flag.short === undefined ? '' : `-${flag.short}, `
    const value = placeholderOf(flag)
    const aliases = (flag.aliases ?? []).map((alias) => `\`--${alias}\``).join(', ')
    const variables = variablesOf(command, name)
    const notes = [flag.help, aliases === '' ? '' : `also ${aliases}`, flag.deprecated ?? '']
      .filter((note) => note !== '')
      .join('; ')
    return `| \`${letter}--${name}${value === '' ? '' : ` ${cell(value)}`}\` | ${cell(shownDefault(flag) ?? '')} | ${cell(notes)} | ${variables.map((variable) => `\`${variable}\``).join(', ')} |`
  })
  return ['| flag | default | meaning | variables |', '|---|---|---|---|', ...rows].join('\n')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;')
}
