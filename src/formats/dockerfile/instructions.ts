/**
 * The instructions of a Dockerfile, as BuildKit takes its lines apart (moby/buildkit, frontend/dockerfile/parser): comments,
 * continuations, the escape directive and heredocs.
 *
 * @module
 */
import { DockerfileError } from './dockerfile-error.js'
import { splitWords } from './words.js'

/** One instruction with everything that belongs to it, except bodies of heredocs. */
export interface Instruction {
  /** In upper case. */
  readonly name: string
  /** What follows the name, on one line. */
  readonly rest: string
  /** The number of the line that it begins on. */
  readonly line: number
}

/** A Dockerfile taken apart. */
export interface Instructions {
  readonly instructions: readonly Instruction[]
  /** `\`, or what a directive says instead. */
  readonly escape: string
}

const NAMES: ReadonlySet<string> = new Set([
  'ADD',
  'ARG',
  'CMD',
  'COPY',
  'ENTRYPOINT',
  'ENV',
  'EXPOSE',
  'FROM',
  'HEALTHCHECK',
  'LABEL',
  'MAINTAINER',
  'ONBUILD',
  'RUN',
  'SHELL',
  'STOPSIGNAL',
  'USER',
  'VOLUME',
  'WORKDIR',
])

/** No Dockerfile is as large; what is read of one is copied a few times over. */
const MAX_TEXT = 4 * 1024 * 1024
/** Every one of them ends in a body of its own. */
const MAX_HEREDOCS = 32

/**
 * Takes a Dockerfile apart. An instruction that nobody knows is an error: it may be one that is read differently elsewhere.
 * @throws DockerfileError `DOCKERFILE_SYNTAX`, `DOCKERFILE_LIMIT`
 */
export function parseInstructions(text: string): Instructions {
  if (text.length > MAX_TEXT) {
    throw new DockerfileError('DOCKERFILE_LIMIT', 'the Dockerfile is too large', {
      expected: `at most ${String(MAX_TEXT)} characters`,
      found: String(text.length),
    })
  }
  const lines = text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.replace(/\r$/, ''))
  const escape = escapeOf(lines)
  const instructions: Instruction[] = []
  let at = 0
  while (at < lines.length) {
    const begin = at
    const { joined, next } = joinContinued(lines, at, escape)
    at = next
    if (joined === undefined) continue
    const instruction = instructionOf(joined, begin + 1)
    instructions.push(instruction)
    for (const { name, chomp } of heredocsOf(instruction, escape))
      at = skipHeredoc(lines, at, { name, chomp, instruction })
  }
  return { instructions, escape }
}

/** Directives are comments at the very top; the first line that is none ends them. */
function escapeOf(lines: readonly string[]): string {
  let found: string | undefined
  for (const [index, line] of lines.entries()) {
    const [, name, value] = /^#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(\S.*)$/.exec(line.trim()) ?? []
    if (name === undefined) break
    if (name.toLowerCase() !== 'escape') continue
    if (found !== undefined || (value !== '\\' && value !== '`'))
      throw syntax(index + 1, 'one escape directive, which is \\ or `', line)
    found = value
  }
  return found ?? '\\'
}

interface Joined {
  /** Undefined: there is no instruction here. */
  readonly joined: string | undefined
  readonly next: number
}

/** A line and those that continue it. Comments and empty lines in between belong to neither. */
function joinContinued(lines: readonly string[], at: number, escape: string): Joined {
  const first = (lines[at] ?? '').trimStart()
  let [text, continued] = isComment(first) ? ['', false] : withoutContinuation(first, escape)
  const parts = [text]
  let next = at + 1
  while (continued && next < lines.length) {
    const line = lines[next] ?? ''
    next += 1
    if (isComment(line) || line.trim() === '') continue
    ;[text, continued] = withoutContinuation(line, escape)
    parts.push(text)
  }
  const joined = parts.join('').trim()
  return { joined: joined === '' ? undefined : joined, next }
}

function isComment(line: string): boolean {
  return line.trimStart().startsWith('#')
}

/** A line goes on if it ends in one escape character; two are an escaped one. */
function withoutContinuation(line: string, escape: string): [text: string, continued: boolean] {
  let length = line.length
  while (length > 0 && ' \t'.includes(line.charAt(length - 1))) length -= 1
  const end = line.slice(0, length)
  if (!end.endsWith(escape) || end.endsWith(escape + escape)) return [line, false]
  return [end.slice(0, -1), true]
}

function instructionOf(joined: string, line: number): Instruction {
  const [, word = '', rest = ''] = /^(\S+)\s*([\s\S]*)$/.exec(joined) ?? []
  const name = word.toUpperCase()
  if (NAMES.has(name)) return { name, rest, line }
  throw syntax(line, 'an instruction such as FROM, RUN or COPY', word)
}

interface Heredoc {
  readonly name: string
  /** `<<-`: tabs before the end do not count. */
  readonly chomp: boolean
}

const UNTRIGGERED: ReadonlySet<string> = new Set(['ONBUILD', 'FROM', 'MAINTAINER'])
const WITH_HEREDOCS: ReadonlySet<string> = new Set(['ADD', 'COPY', 'RUN'])

function heredocsOf({ name, rest, line }: Instruction, escape: string): readonly Heredoc[] {
  if (name === 'ONBUILD') {
    const trigger = instructionOf(rest, line)
    if (!UNTRIGGERED.has(trigger.name)) return heredocsOf(trigger, escape)
    throw syntax(line, 'an instruction that ONBUILD can keep for later', trigger.name)
  }
  if (!WITH_HEREDOCS.has(name) || !rest.includes('<<') || isJsonForm(rest)) return []
  const found = splitWords(rest, escape).flatMap((word) => {
    const [, chomp, quoted = ''] = /^\d*<<(-?)([^<]*)$/.exec(word) ?? []
    const end = quoted.replace(/["'\\`]/g, '')
    return chomp === undefined || end === '' || /\s/.test(end) ? [] : [{ name: end, chomp: chomp === '-' }]
  })
  if (found.length <= MAX_HEREDOCS) return found
  throw syntax(line, `at most ${String(MAX_HEREDOCS)} heredocs`, String(found.length))
}

/** `RUN ["…"]` runs no shell. */
function isJsonForm(rest: string): boolean {
  if (!rest.startsWith('[')) return false
  try {
    return Array.isArray(JSON.parse(rest))
  } catch {
    return false // then it is a command of the shell that begins with a bracket
  }
}

interface SkippedHeredoc extends Heredoc {
  readonly instruction: Instruction
}

function skipHeredoc(lines: readonly string[], at: number, { name, chomp, instruction }: SkippedHeredoc): number {
  for (let next = at; next < lines.length; next++) {
    const line = lines[next] ?? ''
    if ((chomp ? line.replace(/^\t+/, '') : line) === name) return next + 1
  }
  throw syntax(instruction.line, `a line ${name} that ends the heredoc`, 'the end of the file')
}

/** Not for other folders: a line that is not as it should be. */
export function syntax(line: number, expected: string, found: string): DockerfileError {
  return new DockerfileError('DOCKERFILE_SYNTAX', `line ${String(line)} of the Dockerfile cannot be read`, {
    expected,
    found: found.slice(0, 200),
  })
}
