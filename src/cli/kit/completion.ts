/** Completion scripts for four shells, made from the table of commands. @module */
import type { CommandData } from './command.js'
import type { Flag } from './flags.js'
import { visible } from './help.js'
import { allFlags } from './parse.js'

export const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const
export type Shell = (typeof SHELLS)[number]

/** The script that a shell loads. It names every visible command and flag, and runs nothing of ours when it completes. */
export function completionScript(shell: Shell, commands: readonly CommandData[]): string {
  const listed = commands.filter(({ hidden, deprecated }) => hidden !== true && deprecated === undefined)
  return WRITERS[shell](listed.map(outline))
}

interface OutlinedFlag {
  readonly name: string
  readonly short: string | undefined
  readonly help: string
  readonly value: 'none' | 'file' | 'text' | readonly string[]
}

interface Outline {
  readonly words: readonly string[]
  readonly summary: string
  readonly flags: readonly OutlinedFlag[]
  readonly args: 'file' | readonly string[]
}

function outline(command: CommandData): Outline {
  const flags = visible(allFlags(command)).map(([name, flag]) => ({
    name,
    short: flag.short,
    help: flag.help,
    value: valueOf(flag),
  }))
  return { words: command.name.split(' '), summary: command.summary, flags, args: command.args?.complete ?? [] }
}

function valueOf(flag: Flag): OutlinedFlag['value'] {
  if (flag.kind === 'boolean') return 'none'
  if (flag.kind === 'path') return 'file'
  return flag.kind === 'string' || flag.kind === 'url' ? (flag.choices ?? 'text') : 'text'
}

const WRITERS: Readonly<Record<Shell, (commands: readonly Outline[]) => string>> = { bash, zsh, fish, powershell }

/** First words of commands, each once, with the summary where the word is a command by itself. */
function firstWords(commands: readonly Outline[]): readonly (readonly [string, string])[] {
  const words = new Map<string, string>()
  for (const {
    words: [first = '', second],
    summary,
  } of commands) {
    if (!words.has(first)) words.set(first, second === undefined ? summary : `Commands of ${first}`)
  }
  return [...words]
}

function secondWords(commands: readonly Outline[]): ReadonlyMap<string, readonly (readonly [string, string])[]> {
  const groups = new Map<string, (readonly [string, string])[]>()
  for (const {
    words: [first = '', second],
    summary,
  } of commands) {
    if (second !== undefined) groups.set(first, [...(groups.get(first) ?? []), [second, summary]])
  }
  return groups
}

function flagWords({ flags }: Outline): string {
  return flags.flatMap(({ name, short }) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]).join(' ')
}

function bash(commands: readonly Outline[]): string {
  const groups = [...secondWords(commands)].map(
    ([first, members]) =>
      `    "${first} ") COMPREPLY=($(compgen -W "${members.map(([word]) => word).join(' ')}" -- "$cur")); return ;;`,
  )
  const cases = commands.map((command) => {
    const key = command.words.join(' ')
    const values = command.flags.flatMap(({ name, value }) =>
      typeof value === 'object'
        ? [`        --${name}) COMPREPLY=($(compgen -W "${value.join(' ')}" -- "$cur")); return ;;`]
        : [],
    )
    const args =
      typeof command.args === 'object' && command.args.length > 0
        ? `      [[ $cur == -* ]] || words="${command.args.join(' ')}"`
        : ''
    return [
      `    "${key}")`,
      ...(values.length === 0 ? [] : ['      case "$prev" in', ...values, '      esac']),
      `      words="${flagWords(command)}"`,
      ...(args === '' ? [] : [args]),
      '      ;;',
    ].join('\n')
  })
  return `# bash completion for countersign: source <(countersign completion bash)
_countersign() {
  local cur prev word path="" words=""
  COMPREPLY=()
  cur="\${COMP_WORDS[COMP_CWORD]}"
  prev="\${COMP_WORDS[COMP_CWORD-1]}"
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    [[ $word == -* ]] && break
    case "$path" in
      "") path="$word" ;;
${[...secondWords(commands).keys()].map((first) => `      "${first}") path="$path $word" ;;`).join('\n')}
    esac
  done
  case "$path " in
    " ") COMPREPLY=($(compgen -W "${firstWords(commands)
      .map(([word]) => word)
      .join(' ')} help" -- "$cur")); return ;;
${groups.join('\n')}
  esac
  case "$path" in
${cases.join('\n')}
  esac
  if [[ $cur == -* || $words != -* ]]; then COMPREPLY=($(compgen -W "$words" -- "$cur")); else COMPREPLY=($(compgen -f -- "$cur")); fi
}
complete -o filenames -o bashdefault -F _countersign countersign
`
}

function zsh(commands: readonly Outline[]): string {
  const groups = secondWords(commands)
  const list = (pairs: readonly (readonly [string, string])[]): string =>
    pairs.map(([word, help]) => `      ${quote(`${word}:${help}`)}`).join('\n')
  const argumentsOf = (command: Outline): string =>
    command.flags
      .map(({ name, short, help, value }) => {
        const text = help.replace(/[[\]:]/g, ' ')
        const action =
          value === 'none'
            ? ''
            : value === 'file'
              ? ':file:_files'
              : typeof value === 'object'
                ? `:value:(${value.join(' ')})`
                : ':value: '
        const equals = value === 'none' ? '' : '='
        return (
          ` \\\n        ${quote(`*--${name}${equals}[${text}]${action}`)}` +
          (short === undefined ? '' : ` \\\n        ${quote(`*-${short}[${text}]${action}`)}`)
        )
      })
      .join('')
  const rest = ({ args }: Outline): string =>
    ` \\\n        ${quote(typeof args === 'object' ? (args.length === 0 ? '*:argument: ' : `*:argument:(${args.join(' ')})`) : '*:file:_files')}`
  const cases = commands.map(
    (command) =>
      `    ${quote(command.words.join(' '))})\n      _arguments -s${argumentsOf(command)}${rest(command)}\n      ;;`,
  )
  const groupCases = [...groups].map(
    ([first, members]) =>
      `    ${quote(first)})\n      if (( CURRENT == 2 )); then\n        local -a members=(\n${list(members)}\n        )\n        _describe command members\n        return\n      fi\n      name="$name $words[2]"\n      shift words; (( CURRENT-- ))\n      ;;`,
  )
  return `#compdef countersign
# zsh completion for countersign: countersign completion zsh > "\${fpath[1]}/_countersign"
_countersign() {
  local -a commands=(
${list(firstWords(commands))}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local name="$words[2]"
  shift words; (( CURRENT-- ))
  case "$name" in
${groupCases.join('\n')}
  esac
  case "$name" in
${cases.join('\n')}
  esac
}
compdef _countersign countersign
`
}

function fish(commands: readonly Outline[]): string {
  const lines = [
    '# fish completion for countersign: countersign completion fish | source',
    'complete -c countersign -f',
  ]
  for (const [word, help] of firstWords(commands)) {
    lines.push(`complete -c countersign -n __fish_use_subcommand -a ${word} -d ${quote(help)}`)
  }
  for (const [first, members] of secondWords(commands)) {
    for (const [word, help] of members) {
      lines.push(
        `complete -c countersign -n "__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${members.map(([name]) => name).join(' ')}" -a ${word} -d ${quote(help)}`,
      )
    }
  }
  for (const command of commands) {
    const condition = command.words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ')
    for (const { name, short, help, value } of command.flags) {
      const takes =
        value === 'none'
          ? ''
          : value === 'file'
            ? ' -r -F'
            : typeof value === 'object'
              ? ` -x -a ${quote(value.join(' '))}`
              : ' -x'
      lines.push(
        `complete -c countersign -n "${condition}" -l ${name}${short === undefined ? '' : ` -s ${short}`}${takes} -d ${quote(help)}`,
      )
    }
    if (command.args === 'file') lines.push(`complete -c countersign -n "${condition}" -F`)
    else if (command.args.length > 0)
      lines.push(`complete -c countersign -n "${condition}" -a ${quote(command.args.join(' '))}`)
  }
  return lines.join('\n') + '\n'
}

function powershell(commands: readonly Outline[]): string {
  const text = (value: string): string => `'${value.replaceAll("'", "''")}'`
  const pairs = (entries: readonly (readonly [string, string])[]): string =>
    entries.map(([word, help]) => `      @(${text(word)}, ${text(help)})`).join('\n')
  const tables = [
    `    '' = @(\n${pairs(firstWords(commands))}\n    )`,
    ...[...secondWords(commands)].map(([first, members]) => `    ${text(first)} = @(\n${pairs(members)}\n    )`),
    ...commands.map(
      (command) =>
        `    ${text(command.words.join(' '))} = @(\n${pairs(command.flags.map(({ name, help }) => [`--${name}`, help] as const))}\n    )`,
    ),
  ]
  return `# PowerShell completion for countersign: countersign completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName countersign -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $table = @{
${tables.join('\n')}
  }
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() } | Where-Object { $_ -notlike '-*' -and $_ -ne $wordToComplete })
  $name = ''
  foreach ($word in $words) {
    $longer = "$name $word".Trim()
    if ($table.ContainsKey($longer)) { $name = $longer } else { break }
  }
  @($table[$name]) | Where-Object { $_[0] -like "$wordToComplete*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_[0], $_[0], 'ParameterValue', $_[1])
  }
}
`
}

/** A word that POSIX shells and fish take literally. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
