/** `countersign manifests`. @module */
import type { JsonObject } from '#encoding/json'
import { isCodedError } from '#errors'
import { parseTrustedRoot } from '#formats/trusted-root/parse'
import type { DefinitionFamily } from '#gate/manifests/definitions'
import { installationManifests } from '#gate/manifests/manifests'
import { DEFAULTS, ENFORCEMENTS, type ManifestOptions } from '#gate/manifests/options'
import { POLICY_FAMILIES } from '#policy/front-ends'
import { PIN_KINDS, readDeclaredKinds } from '../admission/flags.js'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { readTextFile } from '../read-input.js'
import { VERSION } from '../version.js'

/** Which kinds are defined; reports come with Kyverno's, as they do from Kyverno. */
const DEFINED: Readonly<Record<'all' | 'sigstore' | 'kyverno' | 'none', readonly DefinitionFamily[]>> = {
  all: ['sigstore', 'kyverno', 'reports'],
  sigstore: ['sigstore'],
  kyverno: ['kyverno', 'reports'],
  none: [],
}

export const command: Command = defineCommand({
  name: 'manifests',
  summary: 'Print what installs the admission webhook in a cluster',
  description:
    'Prints the definitions of the policy kinds, roles, the service, the deployment and the webhook configurations, for `kubectl apply`. The same as a Helm chart stands in deploy/helm. Where the kinds are defined already, by Kyverno or policy-controller, leave them alone with --crds.\n\nUninstalling with `kubectl delete` takes the definitions with it, and with them every policy.',
  flags: {
    namespace: { kind: 'string', short: 'n', default: DEFAULTS.namespace, help: 'namespace of the installation' },
    image: {
      kind: 'string',
      placeholder: 'IMAGE',
      default: `countersign:${VERSION}`,
      help: 'image to run, as deploy/Dockerfile builds it; best with its digest',
    },
    replicas: { kind: 'number', default: DEFAULTS.replicas, help: 'how many run' },
    'pin-digests': {
      kind: 'string',
      choices: PIN_KINDS,
      default: 'pods',
      help: 'in which kinds a tag is replaced by the digest that was verified; none: no mutating webhook',
    },
    enforce: {
      kind: 'string',
      choices: ENFORCEMENTS,
      default: 'original',
      help: 'in which namespaces: as policy-controller and Kyverno do; labelled policy.sigstore.dev/include=true; all but those labelled policy.sigstore.dev/exclude=true',
    },
    policies: {
      kind: 'list',
      placeholder: 'sigstore,kyverno',
      help: 'whose policies are enforced; without it, all',
    },
    crds: {
      kind: 'string',
      choices: ['all', 'sigstore', 'kyverno', 'none'],
      default: 'all',
      help: 'which kinds to define: sigstore where Kyverno has defined its own, kyverno where policy-controller has',
    },
    'exclude-namespace': {
      kind: 'list',
      placeholder: 'NAME',
      help: 'where nothing is verified, besides kube-system and the installation’s own',
    },
    'cert-manager': { kind: 'boolean', help: 'certificates by cert-manager, instead of the webhook’s own' },
    'network-policy': { kind: 'boolean', help: 'let only the webhook’s and the metrics’ port be reached' },
    'pull-secrets': {
      kind: 'boolean',
      default: true,
      help: 'let it read the pull secrets of workloads, which needs the right to get any secret by its name',
    },
    'webhook-timeout': {
      kind: 'duration',
      default: DEFAULTS.timeoutSeconds * 1000,
      help: 'how long the API server waits for a verdict, from 1s to 30s',
    },
    'trusted-root': { kind: 'path', help: 'trusted_root.json of the Sigstore to trust, instead of the public one' },
    'custom-kind': {
      kind: 'repeated',
      placeholder: 'KIND.GROUP=PATH',
      help: 'a kind that runs images, as for `countersign admission`',
    },
    argument: {
      kind: 'repeated',
      placeholder: 'FLAG',
      help: 'a further flag for `countersign admission`, such as --argument=--mirror=ghcr.io=mirror.example',
    },
    output: { kind: 'string', short: 'o', choices: ['yaml', 'json'], default: 'yaml', help: 'how to print them' },
  },
  withoutCosignEnvironment: true,
  examples: [
    { does: 'install it', run: 'manifests --image registry.example/countersign@sha256:… | kubectl apply -f -' },
    { does: 'in a cluster that has Kyverno’s kinds', run: 'manifests --crds sigstore | kubectl apply -f -' },
    { does: 'verify in all namespaces', run: 'manifests --enforce opt-out --exclude-namespace legacy' },
    { does: 'trust a private Sigstore', run: 'manifests --trusted-root trusted_root.json' },
    { does: 'definitions and roles for review', run: 'manifests --output json | jq .items[].kind' },
  ],

  async run({ flags, host }) {
    readDeclaredKinds(flags['custom-kind'])
    const { 'trusted-root': trustedRoot } = flags
    const options: ManifestOptions = {
      namespace: checkName('namespace', flags.namespace),
      image: flags.image,
      replicas: checkRange('replicas', flags.replicas, { min: 1, max: 100 }),
      pins: flags['pin-digests'],
      enforcement: flags.enforce,
      families: chosenFamilies(flags.policies),
      definitions: DEFINED[flags.crds],
      excludedNamespaces: flags['exclude-namespace'].map((name) => checkName('exclude-namespace', name)),
      certManager: flags['cert-manager'],
      networkPolicy: flags['network-policy'],
      pullSecrets: flags['pull-secrets'],
      timeoutSeconds: checkRange('webhook-timeout', flags['webhook-timeout'] / 1000, { min: 1, max: 30 }),
      trustedRoot: trustedRoot === undefined ? undefined : await readTrust(host, trustedRoot),
      customKinds: flags['custom-kind'],
      arguments: flags.argument,
    }
    const manifests = installationManifests(options)
    host.terminal.write(flags.output === 'json' ? asJson(manifests) : await asYaml(manifests))
    return undefined
  },
})

function asJson(items: readonly JsonObject[]): string {
  return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items }, null, 2)}\n`
}

async function asYaml(items: readonly JsonObject[]): Promise<string> {
  const { dump } = await import('js-yaml')
  return items.map((item) => `---\n${dump(item, { lineWidth: -1, noRefs: true })}`).join('')
}

function chosenFamilies(names: readonly string[]): ManifestOptions['families'] {
  const unknown = names.find((name) => !POLICY_FAMILIES.some((family) => family === name))
  if (unknown !== undefined) throw unfit('policies', unknown, POLICY_FAMILIES.join(', '))
  return names.length === 0 ? POLICY_FAMILIES : POLICY_FAMILIES.filter((family) => names.includes(family))
}

/** RFC 1123, as the API server has it. */
function checkName(flag: string, name: string): string {
  if (/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name
  throw unfit(flag, name, 'a name of small letters, digits and hyphens')
}

function checkRange(flag: string, value: number, { min, max }: { readonly min: number; readonly max: number }): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw unfit(flag, String(value), `a whole number from ${String(min)} to ${String(max)}`)
}

/** Read and checked here: a mistake in it would otherwise be found by the webhook, which would then not start. */
async function readTrust(host: Host, path: string): Promise<string> {
  const text = await readTextFile(host, path)
  try {
    parseTrustedRoot(text)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CliError('CLI_INPUT', `${path} is no trusted root: ${cause.message}`, { expected: cause.expected, cause })
  }
  return text
}

function unfit(flag: string, found: string, expected: string): UsageError {
  return new UsageError('USAGE_FLAG_VALUE', `invalid argument ${JSON.stringify(found)} for "--${flag}" flag`, {
    expected,
  })
}
