/** What a process costs. @module */
import { readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second (USER_HZ). */
const TICK = 10

/** Processor time that a process has taken, in milliseconds; it hardly depends on what else runs on the machine. */
export function processorMillis(pid: number): number {
  const fields =
    readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
      .split(') ')
      .at(-1)
      ?.split(' ') ?? []
  const [user = NaN, system = NaN] = fields.slice(11, 13).map(Number)
  return (user + system) * TICK
}
