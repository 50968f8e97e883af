/** A line typed without echo. @module */

const CONTROL = {
  interrupt: '\u0003',
  endOfInput: '\u0004',
  backspace: '\u007f',
  otherBackspace: '\b',
  clear: '\u0015',
}

/**
 * Asks for a secret on the terminal. The prompt goes to standard error, so that standard output stays clean.
 * @returns the line, or `undefined` where standard input is no terminal or its end was reached.
 */
export async function readSecretLine(prompt: string): Promise<string | undefined> {
  const { stdin, stderr } = process
  if (!stdin.isTTY) return undefined
  stderr.write(prompt)
  stdin.setRawMode(true)
  try {
    return await typedLine(stdin)
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

function typedLine(stdin: NodeJS.ReadStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    let line = ''
    const finish = (result: string | undefined): void => {
      stdin.off('data', onData)
      resolve(result)
    }
    const onData = (chunk: Buffer): void => {
      for (const letter of chunk.toString('utf8')) {
        if (letter === '\r' || letter === '\n') return finish(line)
        if (letter === CONTROL.endOfInput) return finish(line === '' ? undefined : line)
        if (letter === CONTROL.interrupt) {
          stdin.setRawMode(false)
          process.kill(process.pid, 'SIGINT')
          return finish(undefined)
        }
        if (letter === CONTROL.backspace || letter === CONTROL.otherBackspace) line = [...line].slice(0, -1).join('')
        else if (letter === CONTROL.clear) line = ''
        else line += letter
      }
    }
    stdin.on('data', onData)
    stdin.resume()
  })
}
