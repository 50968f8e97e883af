/**
 * A process: requests at a rate, each sent when its time has come, however many are still unanswered; or as many as come back.
 * @module
 */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { quantile } from '../statistics.js'
import { processorMillis } from './processor.js'
import type { LoadOrder, LoadResult } from './processes.js'
import { Seconds } from './seconds.js'

const CONNECTIONS = 16

const order = JSON.parse(process.argv[2] ?? '') as LoadOrder
const bodies = readFileSync(order.bodies, 'utf8').trim().split('\n')
const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'fifo', ca: readFileSync(order.ca) })
let sent = 0
let refused = 0

await asFast(order.warmUp, () => undefined)
sent = 0
refused = 0
const before = processorMillis(order.pid)
const times: number[] = []
const bySecond = new Seconds()
const start = performance.now()
const told = (millis: number): void => {
  times.push(millis)
  bySecond.add(millis)
}
await (order.rate > 0 ? atRate(order.seconds, order.rate, told) : asFast(order.seconds, told))
const seconds = (performance.now() - start) / 1000
times.sort((a, b) => a - b)
const result: LoadResult = {
  asked: sent,
  perSecond: times.length / seconds,
  p50: quantile(times, 0.5),
  p95: quantile(times, 0.95),
  p99: quantile(times, 0.99),
  max: quantile(times, 1),
  tails: bySecond.tails(),
  refused,
  processor: (processorMillis(order.pid) - before) / sent,
}
console.log(JSON.stringify(result))
agent.destroy()

async function asFast(duration: number, onTime: (millis: number) => void): Promise<void> {
  const end = performance.now() + duration * 1000
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < end) await ask(onTime)
    }),
  )
}

/** A late timer sends all that is due; time counts from the sending, so this process's own lateness is not the server's. */
async function atRate(duration: number, rate: number, onTime: (millis: number) => void): Promise<void> {
  const pending: Promise<void>[] = []
  const begun = performance.now()
  const end = begun + duration * 1000
  let due = 0
  for (let now = begun; now < end; now = performance.now()) {
    for (; begun + (due * 1000) / rate <= now; due++) pending.push(ask(onTime))
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
}

function ask(onTime: (millis: number) => void): Promise<void> {
  const body = bodies[sent++ % bodies.length] ?? ''
  const started = performance.now()
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const outgoing = request(order.url, { method: 'POST', agent, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.once('end', () => {
        onTime(performance.now() - started)
        if (!text.includes('"allowed":true')) refused++
        resolve()
      })
    })
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}
