/** Programs of this machine that keep secrets for us: credential helpers of registries, credential plugins of clusters, tools of clouds. @module */

/** What a program is given besides its arguments. */
export interface ProgramInput {
  readonly stdin: string
  /** All of its environment; without it, this process's. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Milliseconds; a minute, unless it is said. */
  readonly timeLimit?: number
}

/** Runs a program, as a port. */
export interface ProgramRunner {
  /** Resolves with what it wrote; rejects if it cannot be started. One that takes too long is ended, with an exit code. */
  run(program: string, args: readonly string[], input: ProgramInput): Promise<ProgramResult>
}

export interface ProgramResult {
  readonly exitCode: number
  readonly stdout: string
}

const MAX_OUTPUT = 1024 * 1024
const TIME_LIMIT = 60_000

/** Programs of this machine. */
export const nodeProgramRunner: ProgramRunner = {
  run: async (program, args, { stdin, env, timeLimit = TIME_LIMIT }) => {
    const { spawn } = await import('node:child_process')
    return await new Promise((resolve, reject) => {
      const child = spawn(program, [...args], {
        stdio: ['pipe', 'pipe', 'ignore'],
        timeout: timeLimit,
        ...(env !== undefined && { env }),
      })
      const chunks: Buffer[] = []
      let size = 0
      child.stdout.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAX_OUTPUT) child.kill()
        else chunks.push(chunk)
      })
      child.once('error', reject)
      child.once('close', (code) => {
        resolve({ exitCode: code ?? 1, stdout: Buffer.concat(chunks).toString('utf8') })
      })
      child.stdin.on('error', () => undefined) // a program may exit without reading
      child.stdin.end(stdin)
    })
  },
}
