/** `countersign admission`. @module */
import { systemTimers } from '#clients/http/timers'
import { randomBytes } from '#crypto/random'
import { certificatePem, createAuthority, issueLeaf, tlsIdentity } from '#gate/certificates/issue'
import { serveGate, type RunningGate } from '#gate/serve-gate'
import type { TlsIdentity } from '#serving/serve'
import { registryFlags } from '../flags/registry.js'
import { trustFlags } from '../flags/verifying.js'
import { declaredIn, PIN_KINDS, readDeclaredKinds } from '../admission/flags.js'
import { openGateFromFiles } from '../admission/from-files.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { readMirrors } from '../policy/mirrors.js'
import { readTextFile } from '../read-input.js'

export const command: Command = defineCommand({
  name: 'admission',
  summary: 'Run the admission webhook that lets only verified images into a cluster',
  description:
    'With --policy it takes its policies from files and needs no cluster: to try a policy, or to see what the API server would be answered. The files are read again when they change, and on SIGHUP.',
  flags: {
    policy: { kind: 'repeated', short: 'f', placeholder: 'FILE', help: 'policies, and what they refer to, from files' },
    host: { kind: 'string', placeholder: 'ADDRESS', default: '127.0.0.1', help: 'address to listen on' },
    port: { kind: 'number', default: 8443, help: 'port of the webhooks; 0 takes any free one' },
    'health-port': {
      kind: 'number',
      default: 8081,
      help: 'port of /healthz, /readyz and /metrics; 0 takes any free one',
    },
    'tls-cert': { kind: 'path', help: 'PEM certificate of the webhooks, the leaf first; made if it is not given' },
    'tls-key': { kind: 'path', help: 'PEM key of that certificate' },
    'tls-ca-out': {
      kind: 'path',
      placeholder: 'FILE',
      help: 'where to write the authority of a certificate that is made',
    },
    'pin-digests': {
      kind: 'string',
      choices: PIN_KINDS,
      default: 'pods',
      help: 'in which kinds a tag is replaced by the digest that was verified',
    },
    'custom-kind': {
      kind: 'repeated',
      placeholder: 'KIND.GROUP=PATH',
      help: 'a kind that runs images, and the path of its pod specification, or image: and the path of an image',
    },
    'shutdown-delay': { kind: 'duration', default: 0, help: 'how long to serve on after being told to stop' },
    mirror: { kind: 'repeated', placeholder: 'HOST=HOST', help: 'ask the second registry in place of the first' },
    output: {
      kind: 'string',
      short: 'o',
      choices: ['text', 'json'],
      default: 'text',
      help: 'how to tell the addresses',
    },
    'trusted-root': trustFlags['trusted-root'],
    ...registryFlags,
  },
  withoutCosignEnvironment: true,
  longRunning: true,
  examples: [
    { does: 'try a policy with the real webhook', run: 'admission --policy policy.yaml --tls-ca-out ca.pem' },
    { does: 'the same on any free port, for a script', run: 'admission --policy policy.yaml --port 0 --output json' },
  ],

  async run({ flags, host, verbose }) {
    if (flags.policy.length === 0) throw new UsageError('USAGE_FLAG_MISSING', '--policy is required')
    const errorLog = (line: string): void => {
      host.terminal.note(line)
    }
    const { gate, stop } = await openGateFromFiles({
      host,
      flags,
      verbose,
      paths: flags.policy,
      mirrors: readMirrors(flags.mirror),
      settings: {
        pins: PIN_KINDS.find((kinds) => kinds === flags['pin-digests']) ?? 'pods',
        declared: declaredIn(readDeclaredKinds(flags['custom-kind'])),
        elapsed: () => performance.now(),
        errorLog,
      },
    })
    try {
      const running = await serveGate(gate, {
        host: flags.host,
        port: flags.port,
        healthPort: flags['health-port'],
        tls: await chooseCertificate(host, flags),
        timers: systemTimers,
        onFault: (error) => {
          errorLog(JSON.stringify({ level: 'error', error: error instanceof Error ? error.message : 'unknown' }))
        },
      })
      tell(host, running, flags.output)
      await untilAborted(host.interrupted)
      await running.close(flags['shutdown-delay'])
      return 0
    } finally {
      stop()
      gate.close()
    }
  },
})

interface TlsFlags {
  readonly host: string
  readonly 'tls-cert': string | undefined
  readonly 'tls-key': string | undefined
  readonly 'tls-ca-out': string | undefined
}

async function chooseCertificate(host: Host, flags: TlsFlags): Promise<TlsIdentity> {
  const { 'tls-cert': certificate, 'tls-key': key, 'tls-ca-out': out } = flags
  if (certificate !== undefined && key !== undefined)
    return { certificates: await readTextFile(host, certificate), key: await readTextFile(host, key) }
  if (certificate !== undefined || key !== undefined)
    throw new UsageError('USAGE_FLAG_MISSING', '--tls-cert and --tls-key belong together')
  const issuing = { now: host.clock(), random: randomBytes }
  const authority = await createAuthority(issuing)
  const names = [
    { kind: 'dns', value: 'localhost' } as const,
    { kind: 'ip', value: Uint8Array.of(127, 0, 0, 1) } as const,
  ]
  if (out !== undefined) await host.files.write(out, certificatePem(authority.certificate), { mode: 0o644 })
  return tlsIdentity(await issueLeaf(authority, names, issuing))
}

function tell(host: Host, { webhooks, health }: RunningGate, output: 'text' | 'json'): void {
  const addresses = { webhooks: webhooks.origin, health: health.origin }
  if (output === 'json') host.terminal.write(`${JSON.stringify(addresses)}\n`)
  else
    host.terminal.write(
      `webhooks: ${webhooks.origin}/validations, ${webhooks.origin}/mutations\nhealth:   ${health.origin}/readyz, ${health.origin}/metrics\n`,
    )
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
