/** `countersign admission`. @module */
import { systemTimers } from '#clients/http/timers'
import { PATHS } from '#gate/admission/routes'
import { createLog } from '#gate/telemetry/log'
import { serveGate, type RunningGate } from '#gate/serve-gate'
import { chooseCertificate, type ChosenCertificate } from '../admission/certificate.js'
import { admissionFlags, cacheLimits, declaredIn, PIN_KINDS, readDeclaredKinds } from '../admission/flags.js'
import { openGateFromCluster } from '../admission/from-cluster.js'
import { openGateFromFiles, type OpenedGate } from '../admission/from-files.js'
import { registryFlags } from '../flags/registry.js'
import { trustFlags } from '../flags/verifying.js'
import { type Command, defineCommand } from '../kit/command.js'
import type { Host } from '../kit/host.js'
import { readMirrors } from '../policy/mirrors.js'

export const command: Command = defineCommand({
  name: 'admission',
  summary: 'Run the admission webhook that lets only verified images into a cluster',
  description:
    'In a cluster it watches policies, and keeps its own certificates; `countersign manifests` prints what installs it. Any number of replicas may run.\n\nWith --policy it takes its policies from files and needs no cluster: to try a policy, or to see what the API server would be answered. The files are read again when they change, and on SIGHUP.',
  flags: { ...admissionFlags, 'trusted-root': trustFlags['trusted-root'], ...registryFlags },
  withoutCosignEnvironment: true,
  longRunning: true,
  examples: [
    { does: 'in the cluster of the pod it runs in', run: 'admission --host 0.0.0.0' },
    {
      does: 'against the cluster of a kubeconfig',
      run: 'admission --kubeconfig ~/.kube/config --namespace countersign-system',
    },
    { does: 'try a policy with the real webhook', run: 'admission --policy policy.yaml --tls-ca-out ca.pem' },
    { does: 'the same on any free port, for a script', run: 'admission --policy policy.yaml --port 0 --output json' },
  ],

  async run({ flags, host, verbose }) {
    const log = createLog({
      format: flags['log-format'],
      clock: host.clock,
      sink: (line) => {
        host.terminal.note(line)
      },
    })
    const onTrouble = (error: unknown): void => {
      log.trouble('the webhooks have trouble', error)
    }
    const mirrors = readMirrors(flags.mirror)
    const settings = {
      pins: PIN_KINDS.find((kinds) => kinds === flags['pin-digests']) ?? 'pods',
      declared: declaredIn(readDeclaredKinds(flags['custom-kind'])),
      cache: cacheLimits(flags),
      elapsed: () => performance.now(),
      memory: () => {
        const { rss, heapUsed } = process.memoryUsage()
        return { resident: rss, heap: heapUsed }
      },
      log,
      logged: flags['log-decisions'],
    }
    const opened =
      flags.policy.length > 0
        ? await openGateFromFiles({ host, flags, verbose, mirrors, settings, paths: flags.policy })
        : await openGateFromCluster({ host, flags, verbose, mirrors, settings })
    try {
      const certificate = await chooseCertificate({ host, flags, cluster: opened.cluster, onTrouble })
      try {
        await serveUntilTold({ host, flags, opened, certificate, onTrouble })
      } finally {
        certificate.close()
      }
      return 0
    } finally {
      await opened.close()
    }
  },
})

interface Serving {
  readonly host: Host
  readonly flags: {
    readonly host: string
    readonly port: number
    readonly 'health-port': number
    readonly 'shutdown-delay': number
    readonly output: 'text' | 'json'
  }
  readonly opened: OpenedGate
  readonly certificate: ChosenCertificate
  readonly onTrouble: (error: unknown) => void
}

async function serveUntilTold({ host, flags, opened, certificate, onTrouble }: Serving): Promise<void> {
  const running = await serveGate(opened.gate, {
    host: flags.host,
    port: flags.port,
    healthPort: flags['health-port'],
    tls: certificate.identity,
    timers: systemTimers,
    onFault: onTrouble,
  })
  certificate.onRenewed((identity) => {
    running.renew(identity)
  })
  tell(host, running, flags.output)
  const told = untilAborted(host.interrupted)
  // Until the policies are loaded every request is denied, and /readyz says why.
  await Promise.race([opened.start(), told])
  await told
  await running.close(flags['shutdown-delay'])
}

function tell(host: Host, { webhooks, health }: RunningGate, output: 'text' | 'json'): void {
  const addresses = { webhooks: webhooks.origin, health: health.origin }
  if (output === 'json') {
    host.terminal.write(`${JSON.stringify(addresses)}\n`)
    return
  }
  const lines = [
    `webhooks: ${webhooks.origin}${PATHS.validating}, ${webhooks.origin}${PATHS.mutating}`,
    `health:   ${health.origin}/readyz, ${health.origin}/metrics`,
  ]
  host.terminal.write(`${lines.join('\n')}\n`)
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
