/** `countersign clean`. @module */
import { RegistryError } from '#clients/registry/registry-error'
import { cleanImage, type CleanQuery, type CleanReport } from '#images/clean'
import { registryFlags } from '../flags/registry.js'
import { digestImage, openImages } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { confirmContinue } from '../prompt.js'

const TYPES = ['signature', 'attestation', 'referrer', 'sbom', 'all'] as const
type CleanType = (typeof TYPES)[number]

interface Meaning extends Pick<CleanQuery, 'tags' | 'referrers'> {
  /** What the question says will go. */
  readonly warning: string
}

const MEANINGS: Readonly<Record<CleanType, Meaning>> = {
  signature: { tags: ['sig'], referrers: ['signature'], warning: 'all signatures' },
  attestation: { tags: ['att'], referrers: ['attestation'], warning: 'all attestations' },
  sbom: { tags: ['sbom'], referrers: [], warning: 'all SBOMs' },
  referrer: {
    tags: [],
    referrers: ['signature', 'attestation'],
    warning: 'all referrer attestations and/or signatures',
  },
  all: {
    tags: ['sig', 'att', 'sbom'],
    referrers: ['signature', 'attestation'],
    warning: 'all signatures, SBOMs and attestations',
  },
}

export const command: Command = defineCommand({
  name: 'clean',
  summary: 'Remove what is attached to an image',
  description:
    'Removes signatures and attestations, at tags and as referrers, and SBOMs at tags. A referrer is a signature or an attestation by what its manifest says it holds. Referrers that are neither stay. Of a multi-arch image only what is attached to the index goes.',
  args: { usage: 'IMAGE', min: 1, max: 1 },
  flags: {
    type: { kind: 'string', choices: TYPES, default: 'all', help: 'what to remove' },
    force: { kind: 'boolean', short: 'f', help: 'do not ask first' },
    output: {
      kind: 'string',
      short: 'o',
      choices: ['text', 'json'],
      default: 'text',
      help: 'how to tell what was removed: lines on standard error, or json on standard output',
    },
    ...registryFlags,
  },
  examples: [
    { does: 'remove everything', run: 'clean registry.example.com/app@sha256:…' },
    {
      does: 'remove old attestations and keep the signatures',
      run: 'clean --type attestation -f registry.example.com/app:1.2',
    },
  ],

  async run({ args: [text = ''], flags, host, verbose }) {
    const { tags, referrers, warning } = MEANINGS[flags.type]
    if (!flags.force) {
      host.terminal.note(`WARNING: this will remove ${warning} from the image`)
      await confirmContinue(host)
    }
    const images = await openImages(host, flags, { verbose })
    const { repository, descriptor, name } = await digestImage(images.content, text)
    const { removed, left, others } = await cleanImage(images, {
      repository,
      digest: descriptor.digest,
      tags,
      referrers,
    })
    if (flags.output === 'text') {
      for (const each of removed) host.terminal.note(`Removed ${each.name} from ${text}`)
      for (const each of left) host.terminal.note(`could not delete ${each.name} from ${text}:\n ${each.error.message}`)
      if (others > 0) host.terminal.note(`${String(others)} other referrer${others === 1 ? '' : 's'} left in place`)
    }
    if (left.length > 0) throw incomplete(name, { removed, left })
    if (flags.output === 'json')
      host.terminal.write(`${JSON.stringify({ image: name, digest: descriptor.digest, removed, others })}\n`)
    return undefined
  },
})

/** The first reason, with all that is still there, and for programs with all that is not. */
function incomplete(name: string, { removed, left }: Pick<CleanReport, 'removed' | 'left'>): RegistryError {
  const cause = left[0]?.error
  const error = new RegistryError(cause?.code ?? 'REGISTRY_REFUSED', `not everything could be removed from ${name}`, {
    expected: 'a registry that deletes, and a login that may',
    found: `still there: ${left.map((each) => each.name).join(', ')}`,
    hint: cause?.hint,
    cause,
  })
  const report = { removed, left: left.map(({ error: { code }, ...each }) => ({ ...each, code })) }
  return Object.assign(error, { report })
}
