/** `countersign policy test`. @module */
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { mirroredReader } from '#clients/registry/mirrored'
import { createReviewPorts } from '#gate/review-ports'
import { evaluateAdmission } from '#policy/engine/admission'
import type { ClusterReader } from '#policy/internal/cluster'
import { deadlineOf } from '#policy/internal/deadline'
import { readDocuments } from '#policy/internal/documents'
import { reviewOfResource } from '#policy/internal/review-of-resource'
import type { Review } from '#policy/internal/review'
import { registryFlags } from '../flags/registry.js'
import { trustFlags } from '../flags/verifying.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { loadPolicyFiles } from '../policy/documents.js'
import { readMirrors } from '../policy/mirrors.js'
import { verdictJson, verdictTable, type ResourceVerdict } from '../policy/report.js'
import { readTextFile } from '../read-input.js'
import { openRegistry } from '../registry-access.js'
import { loadTrust } from '../trust.js'

export const command: Command = defineCommand({
  name: 'policy test',
  summary: 'Say what admission policies make of resources',
  description:
    'Gives the verdicts of the admission webhook without a cluster. The exit code is 0 if everything is admitted and 1 if anything is denied. ' +
    'Policies are ClusterImagePolicies of Sigstore, and ClusterPolicies and Policies of Kyverno with verifyImages rules. ' +
    'What they refer to is given in files with --policy as well: TrustRoots, Secrets, ConfigMaps, Namespaces with their labels, PolicyExceptions.',
  flags: {
    policy: { kind: 'repeated', short: 'f', placeholder: 'FILE', help: 'policies, and what they refer to' },
    resource: { kind: 'repeated', placeholder: 'FILE', help: 'resources, or AdmissionReviews, to be admitted' },
    image: { kind: 'repeated', placeholder: 'IMAGE', help: 'an image, as if a pod ran it' },
    mirror: { kind: 'repeated', placeholder: 'HOST=HOST', help: 'ask the second registry in place of the first' },
    output: { kind: 'string', short: 'o', choices: ['table', 'json'], default: 'table', help: 'how to print verdicts' },
    'trusted-root': trustFlags['trusted-root'],
    ...registryFlags,
  },
  withoutCosignEnvironment: true,
  examples: [
    {
      does: 'whether a deployment would be admitted',
      run: 'policy test --policy policy.yaml --resource deployment.yaml',
    },
    {
      does: 'the same for an image, as JSON',
      run: 'policy test --policy policy.yaml --image registry.example.com/app:1.2 -o json',
    },
    {
      does: 'a ClusterPolicy of Kyverno, with the ConfigMap that it has its keys from and an exception from it',
      run: 'policy test -f cluster-policy.yaml -f keys.yaml -f exception.yaml --resource pod.yaml',
    },
  ],

  async run({ flags, host, signal, verbose }) {
    if (flags.policy.length === 0) throw new UsageError('USAGE_FLAG_MISSING', '--policy is required')
    const files = await loadPolicyFiles(host, flags.policy, signal)
    for (const { name, warnings } of files.policies)
      for (const warning of warnings) host.terminal.note(`WARNING: ${name}: ${warning}`)
    const reviews = [...(await reviewsOf(host, flags.resource)), ...flags.image.map(podOf)]
    if (reviews.length === 0) throw new UsageError('USAGE_FLAG_MISSING', '--resource or --image is required')
    const content = mirroredReader(await openRegistry(flags, host, { verbose }), readMirrors(flags.mirror))
    let installed: Promise<TrustedRoot> | undefined
    const ports = createReviewPorts(content, {
      trustRoot: async (name) =>
        name === undefined ? await (installed ??= loadTrust(host, flags)) : await files.trustRoot(name),
      trustRepository: files.trustRepository,
      key: files.key,
      cluster: files.cluster,
      clock: host.clock,
    })
    const results = await Promise.all(
      reviews.map(async ({ label, review }): Promise<ResourceVerdict> => {
        const { policies, exceptions, unmatched } = files
        const known = await withNamespace(review, files.cluster, signal)
        const request = { policies, exceptions, review: known, ports, deadline: deadlineOf(signal), unmatched }
        return { resource: label, verdict: await evaluateAdmission(request) }
      }),
    )
    host.terminal.write(`${flags.output === 'json' ? verdictJson(results) : verdictTable(results)}\n`)
    return results.every(({ verdict }) => verdict.allowed) ? 0 : 1
  },
})

interface LabelledReview {
  readonly label: string
  readonly review: Review
}

async function reviewsOf(host: Host, paths: readonly string[]): Promise<readonly LabelledReview[]> {
  const documents = await Promise.all(
    paths.map(async (path) => await readDocuments(await readTextFile(host, path), path)),
  )
  return documents.flat().map(({ value }) => {
    const review = reviewOfResource(value)
    return { label: `${review.kind.kind}/${review.namespace ?? ''}/${review.name}`, review }
  })
}

/** The namespace, if one of the files has it. */
async function withNamespace(review: Review, cluster: ClusterReader, signal: AbortSignal): Promise<Review> {
  const { namespace, namespaceObject } = review
  if (namespace === undefined || namespaceObject !== undefined) return review
  const list = { apiVersion: 'v1', resource: 'namespaces', namespace: undefined }
  // Not there is not known: a policy that asks for its labels says so.
  const found = await cluster.get(list, namespace, signal).catch(() => undefined)
  return found === undefined ? review : { ...review, namespaceObject: found }
}

function podOf(image: string): LabelledReview {
  const object = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'image' },
    spec: { containers: [{ name: 'image', image }] },
  }
  return { label: 'Pod/default/image', review: reviewOfResource(object) }
}
