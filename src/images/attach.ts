/** Attaching what was made ready, and looking again whether it is there. @module */
import { wait } from '#clients/http/timers'
import { equalBytes } from '#encoding/bytes'
import { digestOf } from '#formats/oci/digest'
import { repositoryName } from '#formats/oci/reference'
import { attachBundle } from './attach-bundle.js'
import { attachLayer } from './attach-layer.js'
import type { Attachable } from './attachable.js'
import type { ResolvedImage } from './attachment.js'
import { blobsOf, readAttachments } from './find.js'
import { ImagesError } from './images-error.js'
import { locateAttachments, type AttachmentPlace } from './locate.js'
import type { AttachmentWriter } from './store.js'

/** What is attached where. */
export interface Attaching {
  readonly image: ResolvedImage
  readonly attachable: Attachable
  /** Write Docker's media types (`COSIGN_DOCKER_MEDIA_TYPES`). */
  readonly dockerMediaTypes?: boolean | undefined
}

const LOOKS = 5
const PAUSE = 150

/**
 * Writes it, and reads it back the way that a verifier would find it.
 * @throws ImagesError IMAGES_UNCONFIRMED if it is not found again, and as the writers do; RegistryError
 */
export async function attach(writer: AttachmentWriter, attaching: Attaching): Promise<void> {
  const { image, attachable, dockerMediaTypes } = attaching
  const { repository, descriptor } = image
  if (attachable.layout === 'referrer') {
    const { bytes: bundle, predicateType } = attachable
    const written = await attachBundle(writer, {
      repository,
      subject: descriptor,
      bundle,
      content: 'dsse-envelope',
      predicateType,
    })
    await confirm(writer, attaching, (place) => {
      return place.layout === 'referrer' && place.descriptor.digest === written.manifest
    })
    return
  }
  const { layer, kind } = attachable
  const tag = kind === 'signature' ? 'sig' : 'att'
  await attachLayer(writer, { repository, digest: descriptor.digest, tag, layer, dockerMediaTypes })
  const digest = digestOf(layer.bytes)
  await confirm(writer, attaching, (place) => {
    return place.layout === 'tag' && place.layer.digest === digest && hasAll(place.layer.annotations, layer.annotations)
  })
}

type Annotations = Readonly<Record<string, string>>

function hasAll(found: Annotations = {}, wanted: Annotations): boolean {
  return Object.entries(wanted).every(([name, value]) => found[name] === value)
}

/** A registry may take a moment to list what it has. */
async function confirm(
  writer: AttachmentWriter,
  { image, attachable }: Attaching,
  isIt: (place: AttachmentPlace) => boolean,
): Promise<void> {
  const { repository, descriptor } = image
  const { digest } = descriptor
  const { kind, layout } = attachable
  const bytes = attachable.layout === 'tag' ? attachable.layer.bytes : attachable.bytes
  for (let look = 1; look <= LOOKS; look++) {
    const { places } = await locateAttachments(writer, { repository, digest, kind, layouts: [layout] })
    const place = places.find(isIt)
    if (place !== undefined) {
      const read = await readAttachments(writer, place, { kind, blobs: blobsOf(writer) })
      const unreadable = read.find((each) => 'error' in each)
      if (unreadable !== undefined && 'error' in unreadable) throw unreadable.error
      if (read.some((each) => 'bytes' in each && equalBytes(each.bytes, bytes))) return
    }
    if (look < LOOKS) await wait(writer.timers, PAUSE * look * (1 + writer.random()), undefined)
  }
  throw new ImagesError(
    'IMAGES_UNCONFIRMED',
    `what was attached to ${repositoryName(repository)}@${digest} is not there`,
    {
      expected: `the ${kind} in the list of the image`,
      hint: 'look with "countersign tree", and try again',
    },
  )
}
