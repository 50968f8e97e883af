/**
 * `verify` as a whole process against cosign 3, in turns: a keyless image, a registry on loopback, the trusted root in a file;
 * then with 20 ms of added round trip to the registry. Also the floor: what a process costs that does nothing, or asks once.
 * @module
 */
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server, Socket } from 'node:net'
import { delimiter, join } from 'node:path'
import { existsSync } from 'node:fs'
import { run } from '../test/interop/processes.js'
import { pushImage } from '../test/interop/registry.js'
import { startWorld } from '../test/interop/world.js'
import type { Client, World } from '../test/interop/world.js'
import { median } from './statistics.js'

const ROUNDS = 15
const USER = 'ann@example.com'
const PROGRAM = join(import.meta.dirname, '..', '..', 'bin', 'countersign')

if ((process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, 'cosign3')))) await bench()
else console.log('no cosign3 on PATH: nothing to compare with')

async function bench(): Promise<void> {
  const world = await startWorld()
  try {
    await floors(world)
    for (const delay of [0, 20]) await compare(world, delay)
  } finally {
    await world.stop()
  }
}

/** What nothing written for Node can get below: the process, its HTTP client, one request. */
async function floors(world: World): Promise<void> {
  const get = `require('node:http').get('http://${world.registry}/v2/', (r) => r.resume().on('end', () => process.exit(0)))`
  const commands = {
    'node -e 0': ['-e', '0'],
    'node: load node:http': ['-e', "require('node:http'); process.exit(0)"],
    'node: one GET, nothing else': ['-e', get],
    'countersign version': [PROGRAM, 'version'],
    'countersign verify --help': [PROGRAM, 'verify', '--help'],
  }
  const times = new Map<string, number[]>(Object.keys(commands).map((name) => [name, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, args] of Object.entries(commands))
      times.get(name)?.push(await timed(() => run(process.execPath, args)))
  }
  console.log('start-up, whole processes (ms)')
  for (const [name, values] of times) line(name, values)
}

async function compare(world: World, delay: number): Promise<void> {
  const proxy = await delayed(Number(world.registry.split(':')[1]), delay)
  const host = `localhost:${String((proxy.address() as AddressInfo).port)}`
  const image = await pushImage(host, `bench/delay-${String(delay)}`, String(delay))
  const signed = await world.client('countersign', ['sign', '--identity-token', await world.token(USER), image])
  if (signed.code !== 0) throw new Error(signed.stderr)
  const who = [
    '--certificate-identity',
    USER,
    '--certificate-oidc-issuer',
    world.issuer,
    '--trusted-root',
    world.trustedRoot,
  ]
  const clients: readonly Client[] = ['countersign', 'cosign3']
  const times = new Map<Client, number[]>(clients.map((client) => [client, []]))
  for (let round = 0; round < ROUNDS + 2; round++) {
    for (const client of clients) {
      const millis = await timed(async () => {
        const { code, stderr } = await world.client(client, ['verify', ...who, image])
        if (code !== 0) throw new Error(`${client}: ${stderr}`)
      })
      if (round >= 2) times.get(client)?.push(millis)
    }
  }
  console.log(`\nverify a keyless image, ${String(delay)} ms of added round trip (ms)`)
  for (const [name, values] of times) line(name, values)
  const ratio = median(times.get('countersign') ?? []) / median(times.get('cosign3') ?? [])
  console.log(`against cosign 3 in the same run: ${ratio.toFixed(2)} of its time`)
  proxy.close()
}

/** A way to a local port on which every byte is late by half the round trip in each direction. */
async function delayed(port: number, roundTrip: number): Promise<Server> {
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    for (const socket of [client, upstream]) socket.setNoDelay(true).on('error', () => socket.destroy())
    relay(client, upstream, roundTrip / 2)
    relay(upstream, client, roundTrip / 2)
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  return server
}

function relay(from: Socket, to: Socket, delay: number): void {
  const later = (act: () => void): void => {
    if (delay === 0) act()
    else setTimeout(act, delay)
  }
  from.on('data', (chunk) => {
    later(() => to.write(chunk))
  })
  from.on('close', () => {
    later(() => to.end())
  })
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const started = performance.now()
  await act()
  return performance.now() - started
}

function line(name: string, values: readonly number[]): void {
  console.log(
    `  ${name.padEnd(28)} median ${median(values).toFixed(1).padStart(7)}   least ${Math.min(...values)
      .toFixed(1)
      .padStart(7)}`,
  )
}
