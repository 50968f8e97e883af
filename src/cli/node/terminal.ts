/** The terminal of this process. @module */
import { writeSync } from 'node:fs'
import type { Terminal } from '../kit/host.js'
import { forTerminal } from '../kit/printable.js'
import { readSecretLine } from './secret.js'

/** Asked of the system, not of `process.stdout`: to answer, that would make a socket of a pipe. */
function isTerminal(descriptor: 0 | 1 | 2): boolean {
  return process.getBuiltinModule('node:tty').isatty(descriptor) // loaded when it is asked: it takes milliseconds
}

/** Opens the standard streams; none of them is touched before it is used. */
export function nodeTerminal(): Terminal {
  let lines: LineReader | undefined
  return {
    get stdinIsTty() {
      return isTerminal(0)
    },
    get stdoutIsTty() {
      return isTerminal(1)
    },
    get stderrIsTty() {
      return isTerminal(2)
    },
    get columns() {
      return isTerminal(1) ? Math.max(40, process.stdout.columns) : 100
    },
    // Synchronous: what was printed is out before the process may end, also on a pipe.
    write: (output) => {
      writeAll(1, typeof output === 'string' && isTerminal(1) ? forTerminal(output) : output)
    },
    // Also where it goes to a file: a log is looked at on a terminal one day.
    note: (line) => {
      writeAll(2, `${forTerminal(line)}\n`)
    },
    writeError: (text) => {
      writeAll(2, text)
    },
    get stdin() {
      return process.stdin as AsyncIterable<Uint8Array>
    },
    readLine: () => (lines ??= new LineReader(process.stdin)).next(),
    readSecret: (prompt) => readSecretLine(prompt),
  }
}

/** What a shell calls a program that SIGPIPE ended. Success would be a claim about all of the work. */
const BROKEN_PIPE = 128 + 13

function writeAll(descriptor: 1 | 2, output: string | Uint8Array): void {
  let rest = typeof output === 'string' ? new TextEncoder().encode(output) : output
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code
      if (code === 'EAGAIN')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5) // a full non-blocking pipe
      else if (code === 'EPIPE')
        process.exit(BROKEN_PIPE) // the reader (`head`, `jq`) has had enough; what is left was not done
      else throw error
    }
  }
}

/** Lines of a stream, one at a time. */
class LineReader {
  readonly #chunks: AsyncIterator<unknown>
  #buffer = ''
  #ended = false

  constructor(stream: AsyncIterable<unknown>) {
    this.#chunks = stream[Symbol.asyncIterator]()
  }

  async next(): Promise<string | undefined> {
    for (;;) {
      const end = this.#buffer.indexOf('\n')
      if (end !== -1) {
        const line = this.#buffer.slice(0, end)
        this.#buffer = this.#buffer.slice(end + 1)
        return line.replace(/\r$/, '')
      }
      if (this.#ended) {
        const last = this.#buffer
        this.#buffer = ''
        return last === '' ? undefined : last
      }
      const chunk = await this.#chunks.next()
      if (chunk.done === true) this.#ended = true
      else this.#buffer += Buffer.from(chunk.value as Uint8Array).toString('utf8')
    }
  }
}
