/** A sign of life while something takes long, on a terminal only. @module */
import type { Host } from './kit/host.js'

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'] as const
const FRAME_MILLIS = 100
/** Work that is over sooner shows no spinner at all. */
const PATIENCE_MILLIS = 300

/** Runs work under a line that moves, which is gone when the work is over. A function says what the line is now. */
export async function withProgress<T>(host: Host, line: string | (() => string), work: () => Promise<T>): Promise<T> {
  const { terminal } = host
  if (!terminal.stderrIsTty || host.environment['TERM'] === 'dumb') return await work()
  let frame = -Math.ceil(PATIENCE_MILLIS / FRAME_MILLIS)
  const timer = setInterval(() => {
    if (frame >= 0)
      terminal.writeError(`\r${FRAMES[frame % FRAMES.length] ?? ''} ${typeof line === 'string' ? line : line()}`)
    frame++
  }, FRAME_MILLIS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    if (frame > 0) terminal.writeError('\r\u001b[2K')
  }
}
