/** OpenSSL's command line as an oracle: files go in by name, and whatever it writes comes out. @module */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface OpensslRun {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** Reads a file that OpenSSL wrote; empty if it did not. */
  readonly output: Uint8Array
}

export interface OpensslFiles {
  readonly inputs?: Readonly<Record<string, Uint8Array | string>>
  /** Name of the file to read back. */
  readonly output?: string
}

/** Runs `openssl` in an empty folder with the given files. Never throws for its exit status. */
export async function openssl(args: readonly string[], files: OpensslFiles = {}): Promise<OpensslRun> {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-openssl-'))
  try {
    for (const [name, content] of Object.entries(files.inputs ?? {})) await writeFile(join(folder, name), content)
    const result = await execute(args, folder)
    const output =
      files.output === undefined
        ? new Uint8Array()
        : await readFile(join(folder, files.output)).catch(() => new Uint8Array())
    return { ...result, output: new Uint8Array(output) }
  } finally {
    await rm(folder, { recursive: true })
  }
}

function execute(args: readonly string[], cwd: string): Promise<Omit<OpensslRun, 'output'>> {
  return new Promise((resolve) => {
    execFile('openssl', args, { cwd }, (error, stdout, stderr) => {
      const status = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
      resolve({ status, stdout, stderr })
    })
  })
}
