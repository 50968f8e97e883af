/** What `save`, `load` and `copy` tell when they are through: a line, or a document. @module */
import type { Hold, ImageCollection } from '#images/collect'
import { repositoryName } from '#formats/oci/reference'
import type { Host } from '../kit/host.js'
import { inline } from '../kit/printable.js'
import { bytesText, type Tally } from './tally.js'

export const outputFlag = {
  output: {
    kind: 'string',
    short: 'o',
    choices: ['text', 'json'],
    default: 'text',
    help: 'print nothing, or what was moved to standard output: json',
  },
} as const

/** What was done. */
export interface Move {
  /** `Saved`, `Loaded`, `Copied`. */
  readonly did: string
  readonly from: string
  readonly to: string
  readonly collection: ImageCollection
  readonly tally: Tally
}

/** Tells of it: with `json` in one document on standard output, else in a line on standard error. */
export function tellMove({ terminal }: Host, output: 'text' | 'json', move: Move): void {
  const { did, from, to, collection, tally } = move
  const { image, manifests, skipped, places } = collection
  const { total, transferred } = tally.bytes()
  for (const { digest, reason } of skipped)
    terminal.note(`WARNING: ${repositoryName(places.attachments)}@${digest} ${reason}; it is left out`)
  const attached = manifests.flatMap(({ hold, descriptor: { digest } }) =>
    hold === undefined ? [] : [{ digest, subject: hold.subject, kind: kindName(hold), by: hold.by }],
  )
  if (output === 'json') {
    const document = { from, to, digest: image.digest, attached, skipped, bytes: total, transferred }
    terminal.write(`${JSON.stringify(document)}\n`)
    return
  }
  const present = total - transferred
  const there = present > 0 ? `, ${bytesText(present)} not needed` : ''
  const hanging = attached.length === 0 ? 'nothing attached' : `${String(attached.length)} attached`
  terminal.note(`${did} ${inline(from)} to ${inline(to)}: ${hanging}, ${bytesText(transferred)} moved${there}`)
}

const KIND_NAMES: Readonly<Record<Hold['kind'], string>> = {
  sig: 'signature',
  att: 'attestation',
  sbom: 'sbom',
  signature: 'signature',
  attestation: 'attestation',
  other: 'other',
}

function kindName({ kind }: Hold): string {
  return KIND_NAMES[kind]
}
