/** Flags of `admission`, and what they mean. @module */
import type { PinKinds } from '#gate/admission/pinning'
import type { DeclaredPlaces, Review } from '#policy/internal/review'
import type { CacheLimits } from '#gate/verification/verification-cache'
import { UsageError } from '../kit/errors.js'

export const PIN_KINDS: readonly PinKinds[] = ['pods', 'all', 'none']

export const admissionFlags = {
  policy: {
    kind: 'repeated',
    short: 'f',
    placeholder: 'FILE',
    help: 'policies, and what they refer to, from files instead of a cluster',
  },
  kubeconfig: { kind: 'path', help: 'kubeconfig of the cluster, if it is not the one this runs in' },
  context: { kind: 'string', placeholder: 'NAME', help: 'context of the kubeconfig' },
  namespace: {
    kind: 'string',
    short: 'n',
    placeholder: 'NAME',
    help: 'namespace of the installation: keys, settings and certificates are there (default: that of the pod, or countersign-system)',
  },
  host: { kind: 'string', placeholder: 'ADDRESS', default: '127.0.0.1', help: 'address to listen on' },
  port: { kind: 'number', default: 8443, help: 'port of the webhooks; 0 takes any free one' },
  'health-port': {
    kind: 'number',
    default: 8081,
    help: 'port of /healthz, /readyz and /metrics; 0 takes any free one',
  },
  'tls-cert': { kind: 'path', help: 'PEM certificate of the webhooks, the leaf first, read again when it changes' },
  'tls-key': { kind: 'path', help: 'PEM key of that certificate' },
  'tls-ca-out': {
    kind: 'path',
    placeholder: 'FILE',
    help: 'with --policy: where to write the authority of the certificate that is made',
  },
  'pin-digests': {
    kind: 'string',
    choices: ['pods', 'all', 'none'],
    default: 'pods',
    help: 'in which kinds a tag is replaced by the digest that was verified',
  },
  'custom-kind': {
    kind: 'repeated',
    placeholder: 'KIND.GROUP=PATH',
    help: 'a kind that runs images, and the path of its pod specification, or image: and the path of an image',
  },
  'exceptions-from': {
    kind: 'list',
    placeholder: 'NAMESPACE',
    help: 'namespaces whose PolicyExceptions count, or *; without it none do',
  },
  'cache-ttl': { kind: 'duration', default: 3_600_000, help: 'how long a verified signature is believed' },
  'cache-negative-ttl': { kind: 'duration', default: 10_000, help: 'how long an image that was refused stays so' },
  'cache-entries': { kind: 'number', default: 50_000, help: 'how many verifications are remembered' },
  'cache-megabytes': { kind: 'number', default: 256, help: 'how much memory they may take' },
  events: { kind: 'boolean', default: true, help: 'tell of violations in Events' },
  reports: { kind: 'boolean', default: true, help: 'write PolicyReports' },
  'scan-interval': {
    kind: 'duration',
    default: 3_600_000,
    help: 'how often what runs already is judged anew, for the reports; 0: never',
  },
  'scan-rate': { kind: 'number', default: 20, help: 'resources a second that the scan looks at' },
  'log-format': { kind: 'string', choices: ['json', 'text'], default: 'json', help: 'how log lines are written' },
  'log-decisions': {
    kind: 'string',
    choices: ['all', 'violations', 'none'],
    default: 'violations',
    help: 'which decisions are logged',
  },
  'shutdown-delay': { kind: 'duration', default: 0, help: 'how long to serve on after being told to stop' },
  mirror: { kind: 'repeated', placeholder: 'HOST=HOST', help: 'ask the second registry in place of the first' },
  output: { kind: 'string', short: 'o', choices: ['text', 'json'], default: 'text', help: 'how to tell the addresses' },
} as const

/** What the flags say of the cache. */
export function cacheLimits(flags: {
  readonly 'cache-ttl': number
  readonly 'cache-negative-ttl': number
  readonly 'cache-entries': number
  readonly 'cache-megabytes': number
}): Partial<CacheLimits> {
  return {
    positiveMillis: flags['cache-ttl'],
    negativeMillis: flags['cache-negative-ttl'],
    entries: Math.max(0, flags['cache-entries']),
    bytes: Math.max(0, flags['cache-megabytes']) * 1024 * 1024,
  }
}

/** Kinds by `Kind.group`, and where they name images. */
export type DeclaredKinds = ReadonlyMap<string, DeclaredPlaces>

/**
 * Reads `--custom-kind Kind.group=PATH[,PATH]`. A path that ends with `containers`' parent is one of a pod specification; one
 * that begins with `image:` is that of a text.
 * @throws {@link UsageError} `USAGE_FLAG_VALUE`
 */
export function readDeclaredKinds(texts: readonly string[]): DeclaredKinds {
  const kinds = new Map<string, DeclaredPlaces>()
  for (const text of texts) {
    const [, kind, paths] = /^([A-Za-z0-9]+(?:\.[a-z0-9.-]+)?)=(.+)$/.exec(text) ?? []
    if (kind === undefined || paths === undefined) throw unreadable(text)
    const { podSpecs, images } = kinds.get(kind) ?? { podSpecs: [], images: [] }
    const read = paths.split(',').map((path) => readPath(path, text))
    kinds.set(kind, {
      podSpecs: [...podSpecs, ...read.filter(({ isImage }) => !isImage).map(({ steps }) => steps)],
      images: [...images, ...read.filter(({ isImage }) => isImage).map(({ steps }) => steps)],
    })
  }
  return kinds
}

function readPath(path: string, text: string): { readonly steps: readonly string[]; readonly isImage: boolean } {
  const isImage = path.startsWith('image:')
  const steps = path.slice(isImage ? 'image:'.length : 0).split('.')
  if (steps.some((step) => !/^(?:\*|[A-Za-z0-9_-]+)$/.test(step))) throw unreadable(text)
  return { steps, isImage }
}

function unreadable(text: string): UsageError {
  return new UsageError('USAGE_FLAG_VALUE', `invalid argument ${JSON.stringify(text)} for "--custom-kind" flag`, {
    expected: 'KIND.GROUP=PATH of a pod specification, or KIND.GROUP=image:PATH of a text',
    hint: 'for example Workflow.argoproj.io=image:spec.templates.*.container.image',
  })
}

/** Where a review's kind names images, if it is one of these. */
export function declaredIn(kinds: DeclaredKinds): (review: Review) => DeclaredPlaces | undefined {
  return ({ kind: { group, kind } }) => kinds.get(group === '' ? kind : `${kind}.${group}`)
}
