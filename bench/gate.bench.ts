/**
 * The gate as a process of its own, asked over HTTPS as an API server asks: decisions on what was verified before, at a rate and as
 * fast as they come back, against the same server that answers without looking; decisions on what was never seen, with a registry
 * near and far; and its memory with very many policies and digests.
 *
 * @module
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import { createTestPki } from '#testing/pki/pki'
import { clusterImagePolicy, kyvernoPolicy } from './gate/policies.js'
import { coldFloor, leaveCoreOfGate, memoryOf, PINNED, runLoad, startFloor, startGate } from './gate/processes.js'
import type { LoadResult, Started } from './gate/processes.js'
import { startRegistry } from './gate/registry.js'
import { reviewOf } from './gate/reviews.js'
import { median } from './statistics.js'

/** Policies of a cluster; one or two of them are about the images. */
const POLICIES = 20
const WARM_IMAGES = 100
const RATE = 500
const SECONDS = 30
/** What the p99 at that rate is to stay below, in milliseconds. */
const TARGET = 5
/** What is measured are processes that have run for a while, with connections that are open. */
const counted = { seconds: SECONDS, warmUp: 5 }
const ROUND_TRIPS = [0, 20, 100]
const PODS = [1, 5, 20]
const COLD_ROUNDS = 9
/** Pods of images never seen before the measuring begins: what a process has judged that has run for a while. */
const COLD_WARM_UP = 20
const MANY = Number(process.env['BENCH_MANY'] ?? 10_000)
const PER_POD = 20

leaveCoreOfGate()
const agent = new Agent({ keepAlive: true })
const parts = new Set(process.env['BENCH_GATE']?.split(',') ?? ['warm', 'cold', 'memory'])
const folder = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'countersign-bench-'))
const files = { policies: [] as readonly string[], root: join(folder, 'root.json'), ca: join(folder, 'ca.pem') }
const pki = await createTestPki()
writeFileSync(files.root, serializeTrustedRoot(pki.trusted))
const registry = await startRegistry(pki)
try {
  console.log(PINNED ? 'the gate has one core, the load another' : 'no taskset, or one core: nothing is kept apart')
  if (parts.has('warm')) await warm()
  if (parts.has('cold')) await cold()
  if (parts.has('memory')) await memory()
} finally {
  registry.close()
  agent.destroy()
  rmSync(folder, { recursive: true, force: true })
}

function writePolicies(about: readonly string[]): void {
  const others = Array.from({ length: POLICIES - about.length }, (_, index) =>
    (index % 2 === 0 ? kyvernoPolicy : clusterImagePolicy)(
      `other-${String(index)}`,
      `registry-${String(index)}.example/**`,
    ),
  )
  write([...others, ...about])
}

/** A file takes a thousand documents. */
function write(policies: readonly string[]): void {
  const paths: string[] = []
  for (let first = 0; first < policies.length; first += 1000) {
    const path = join(folder, `policies-${String(first)}.yaml`)
    writeFileSync(path, policies.slice(first, first + 1000).join('---\n'))
    paths.push(path)
  }
  files.policies = paths
}

async function pushMany(count: number, name: string): Promise<readonly string[]> {
  const pinned: string[] = []
  for (let index = 0; index < count; index++)
    pinned.push((await registry.pushSigned(`${name}/${String(index)}`)).pinned)
  return pinned
}

async function warm(): Promise<void> {
  writePolicies([kyvernoPolicy('all', `${registry.host}/*`), clusterImagePolicy('signed', `${registry.host}/**`)])
  const images = await pushMany(WARM_IMAGES, 'warm')
  const bodies = join(folder, 'bodies')
  writeFileSync(bodies, images.map((image) => reviewOf([image])).join('\n'))
  console.log(
    `\nwarm: ${String(POLICIES)} policies, ${String(WARM_IMAGES)} images, one in a pod, two policies about it`,
  )
  const floorCa = join(folder, 'floor.pem')
  const floor = await startFloor(floorCa)
  const gate = await startGate(files, '--log-decisions', 'violations', '--cache-ttl', '1h')
  try {
    const ours = { url: `${gate.webhooks}/validations?timeout=10s`, pid: gate.pid, ca: files.ca, bodies }
    const bare = { url: floor.line, pid: floor.pid, ca: floorCa, bodies }
    for (const image of images) await ask(gate.webhooks, [image])
    for (const [title, rate] of [
      [`at ${String(RATE)} requests a second`, RATE],
      ['as fast as they come back', 0],
    ] as const) {
      console.log(`  ${title}`)
      const least = await runLoad({ ...bare, ...counted, rate })
      line('a constant over the same HTTPS', least)
      const found = await runLoad({ ...ours, ...counted, rate })
      line('countersign admission', found)
      console.log(`    against the constant: p50 ${ratio(found.p50, least.p50)}, p99 ${ratio(found.p99, least.p99)}`)
    }
  } finally {
    await gate.stop()
    await floor.stop()
  }
}

/** Every image is new. Connections to the registry are open, as they are in a process that has run for a while. */
async function cold(): Promise<void> {
  writePolicies([kyvernoPolicy('all', `${registry.host}/*`)])
  const gate = await startGate(files)
  console.log('\ncold: median of decisions on images never seen (ms), the round trips they took, and what is left of')
  console.log('the time without three of them; a pod that names digests, then one that names tags')
  try {
    registry.roundTrip = 0
    for (let round = 0; round < COLD_WARM_UP; round++)
      await ask(gate.webhooks, await pushMany(PER_POD, `first-${String(round)}`))
    for (const images of PODS)
      console.log(`  floor, ${String(images).padStart(2)} images   ${await floorOf(images)} ms`)
    for (const roundTrip of ROUND_TRIPS) {
      for (const images of PODS) {
        const outcomes = await coldRounds(gate.webhooks, { roundTrip, images })
        console.log(`  ${String(roundTrip).padStart(3)} ms away, ${String(images).padStart(2)} images   ${outcomes}`)
      }
    }
  } finally {
    registry.roundTrip = 0
    await gate.stop()
  }
}

/** Questions and signature checks without a gate. */
async function floorOf(images: number): Promise<string> {
  const rounds = Array.from({ length: COLD_WARM_UP * 2 }, (_, round) =>
    Array.from({ length: images }, (__, image) =>
      registry.stepsOf(`first-${String(round % COLD_WARM_UP)}/${String(image)}`),
    ),
  )
  const order = { origin: `http://${registry.host}`, rounds }
  return (await coldFloor(order, join(folder, 'cold-floor.json'))).toFixed(1)
}

async function coldRounds(
  webhooks: string,
  { roundTrip, images }: { roundTrip: number; images: number },
): Promise<string> {
  const columns: string[] = []
  for (const named of ['pinned', 'tagged'] as const) {
    const times: number[] = []
    let asked = registry.asked()
    for (let round = 0; round < COLD_ROUNDS; round++) {
      const name = `cold/${named}/${String(roundTrip)}/${String(images)}/${String(round)}`
      const pushed = await Promise.all(
        Array.from({ length: images }, (_, index) => registry.pushSigned(`${name}/${String(index)}`)),
      )
      registry.roundTrip = roundTrip
      registry.forget()
      const millis = await ask(
        webhooks,
        pushed.map((image) => image[named]),
        named === 'tagged' ? '/mutations' : undefined,
      )
      asked = registry.asked()
      registry.roundTrip = 0
      times.push(millis)
    }
    const time = median(times)
    const left = time - 3 * roundTrip
    columns.push(
      `${named} ${time.toFixed(1).padStart(6)}, ${String(asked.inARow)} in a row of ${String(asked.questions).padStart(2)}, − 3×: ${left.toFixed(1).padStart(5)}`,
    )
  }
  return columns.join('   ')
}

/** Ten thousand policies, each about one repository, and an image of each. */
async function memory(): Promise<void> {
  const policies = Array.from({ length: MANY }, (_, index) =>
    (index % 2 === 0 ? kyvernoPolicy : clusterImagePolicy)(
      `policy-${String(index)}`,
      `${registry.host}/many/${String(index)}:*`,
    ),
  )
  console.log(`\nmemory: ${MANY.toLocaleString('en')} policies × ${MANY.toLocaleString('en')} digests`)
  writePolicies([])
  const small = await startGate(files)
  console.log(`  with ${String(POLICIES)} policies          ${await memoryOf(small)}`)
  await small.stop()
  write(policies)
  const started = performance.now()
  const gate = await startGate(files, '--cache-megabytes', '1024')
  try {
    await ask(gate.webhooks, [])
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`  with all policies         ${await memoryOf(gate)}, in force ${seconds} s after the start`)
    for (let first = 0; first < MANY; first += PER_POD) {
      const names = Array.from({ length: PER_POD }, (_, index) => `many/${String(first + index)}`)
      const images = await Promise.all(names.map(async (name) => (await registry.pushSigned(name)).pinned))
      await ask(gate.webhooks, images)
      if (first === 0) registry.forget()
      if (first + PER_POD >= MANY) await manyWarm(gate, images)
      for (const name of names) registry.drop(name)
    }
    console.log(`  with all digests          ${await memoryOf(gate)}`)
  } finally {
    await gate.stop()
  }
}

/** What so many policies do to a decision. */
async function manyWarm(gate: Started & { readonly webhooks: string }, images: readonly string[]): Promise<void> {
  const bodies = join(folder, 'many')
  writeFileSync(bodies, images.map((image) => reviewOf([image])).join('\n'))
  const url = `${gate.webhooks}/validations?timeout=10s`
  line('warm, 500 a second', await runLoad({ ...counted, url, pid: gate.pid, ca: files.ca, bodies, rate: RATE }))
}

/** One question, which must be answered with yes; how long it took. */
function ask(webhooks: string, images: readonly string[], path = '/validations'): Promise<number> {
  const body = reviewOf(images)
  const ca = readFileSync(files.ca)
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' }
    const outgoing = request(`${webhooks}${path}?timeout=30s`, { method: 'POST', agent, ca, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => {
        const millis = performance.now() - started
        if (text.includes('"allowed":true')) resolve(millis)
        else reject(new Error(`the gate refused: ${text}`))
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}

function line(name: string, { perSecond, p50, p95, p99, max, tails, refused, processor }: LoadResult): void {
  if (refused > 0) throw new Error(`${String(refused)} requests were refused`)
  const figures = Object.entries({ p50, p95, p99, max }).map(([what, millis]) => `${what} ${millis.toFixed(2)}`)
  console.log(
    `    ${name.padEnd(32)} ${perSecond.toFixed(0).padStart(5)}/s   ${figures.join('   ')}   processor ${processor.toFixed(2)} ms`,
  )
  const below = tails.filter((millis) => millis < TARGET).length
  console.log(
    `      p99 of the median second ${median(tails).toFixed(2)}; below ${String(TARGET)} ms in ${String(below)} of ${String(tails.length)} seconds`,
  )
}

function ratio(ours: number, theirs: number): string {
  return `${(ours / theirs).toFixed(2)}×`
}
