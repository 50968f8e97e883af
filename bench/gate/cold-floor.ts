/**
 * A process: what no gate can do without for images that it never saw. Their four questions each, by the runtime's own HTTP client with
 * as many connections, and as many signature checks as a bundle of Rekor v1 takes. Told on a line: the median, in milliseconds.
 *
 * @module
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'

/** Certificate, SCT, entry's promise, checkpoint, envelope. */
const CHECKS = 5
const CONNECTIONS = 64

/** What is asked together, and then what is asked once that was answered, of each image. */
export interface FloorOrder {
  readonly origin: string
  /** By round and image: paths by step. */
  readonly rounds: readonly (readonly (readonly (readonly string[])[])[])[]
}

const order = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as FloorOrder
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'lifo' })
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const data = new Uint8Array(500)
const signature = sign('sha256', data, privateKey)

const times: number[] = []
for (const images of order.rounds) {
  const started = performance.now()
  await Promise.all(images.map(askAndVerify))
  times.push(performance.now() - started)
}
agent.destroy()
// The first rounds open connections, and are compiled while they run.
const last = times.slice(Math.floor(times.length / 2)).sort((a, b) => a - b)
console.log(String(last[Math.floor(last.length / 2)] ?? NaN))

async function askAndVerify(steps: readonly (readonly string[])[]): Promise<void> {
  for (const paths of steps) await Promise.all(paths.map(ask))
  for (let check = 0; check < CHECKS; check++) verify('sha256', data, publicKey, signature)
}

function ask(path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    get(`${order.origin}${path}`, { agent }, (response) => {
      response.resume().once('end', resolve)
    }).once('error', reject)
  })
}
