/** Images on a command line: references, the registry, and where their attachments are. @module */
import { systemTimers } from '#clients/http/timers'
import type { RegistryClient } from '#clients/registry/registry'
import { isCodedError } from '#errors'
import {
  parseReference,
  parseRepository,
  type Reference,
  referenceName,
  type Repository,
  repositoryName,
} from '#formats/oci/reference'
import { attachmentTag } from '#formats/oci/tags'
import type { ResolvedImage } from '#images/attachment'
import { resolveImage } from '#images/resolve'
import { type AttachmentReader, attachmentsOf, type AttachmentWriter } from '#images/store'
import type { Clock, UnixMillis } from '#time'
import { CliError } from './kit/errors.js'
import type { Environment, Host } from './kit/host.js'
import { openRegistry, type RegistryFlags } from './registry-access.js'
import { VerdictError } from './verifying/verdict.js'

export interface ImageFlags extends RegistryFlags {
  readonly 'attachment-tag-prefix': string | undefined
  readonly 'allow-certificate-chain'?: boolean
}

/** The registry with what the flags and variables say about attachments; it can read and write. */
export async function openImages(
  host: Host,
  flags: ImageFlags,
  options: { readonly verbose: boolean },
): Promise<AttachmentWriter> {
  const content = await openRegistry(flags, host, options)
  const repository = variable(host, 'COSIGN_REPOSITORY')
  return {
    content,
    clock: host.clock,
    timers: systemTimers,
    random: () => Math.random(),
    attachmentRepository: repository === undefined ? undefined : parseRepository(repository),
    tagPrefix: flags['attachment-tag-prefix'],
    maxAttachmentSize: maxAttachmentSize(host),
    bundle: { allowCertificateChain: flags['allow-certificate-chain'] },
  }
}

function variable(host: Host, name: string): string | undefined {
  const value = host.environment[name] ?? ''
  return value === '' ? undefined : value
}

const UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ['KB', 1e3],
  ['MB', 1e6],
  ['GB', 1e9],
  ['KIB', 1024],
  ['MIB', 1024 ** 2],
  ['GIB', 1024 ** 3],
])

function maxAttachmentSize(host: Host): number | undefined {
  const text = variable(host, 'COSIGN_MAX_ATTACHMENT_SIZE')
  if (text === undefined) return undefined
  const match = /^(\d+(?:\.\d+)?)\s*([a-zA-Z]*)$/.exec(text)
  const unit = UNITS.get((match?.[2] ?? '?').toUpperCase())
  if (match !== null && unit !== undefined) return Math.floor(Number(match[1]) * unit)
  throw new CliError('CLI_INPUT', 'COSIGN_MAX_ATTACHMENT_SIZE is not a size', {
    expected: 'a number of bytes, or one such as 64MiB',
    found: text.slice(0, 40),
  })
}

/** An image named on the command line, by the digest that the name stands for now. */
export interface DigestedImage {
  readonly repository: Repository
  readonly descriptor: Pick<ResolvedImage['descriptor'], 'digest'>
  /** As messages and payloads show it: the full name, with the tag if there was one. */
  readonly name: string
}

/** The same, resolved. */
export interface NamedImage extends ResolvedImage, DigestedImage {
  readonly reference: Reference
  readonly descriptor: ResolvedImage['descriptor']
}

/**
 * Only the digest: of a reference that has one nothing needs to be asked, which saves a round trip.
 * @throws as {@link nameImage} does
 */
export async function digestImage(content: RegistryClient, text: string): Promise<DigestedImage> {
  const reference = parseReference(text)
  if (reference.kind === 'tag') return await nameImage(content, text)
  const { registry, repository, digest } = reference
  return { repository: { registry, repository }, descriptor: { digest }, name: referenceName(reference) }
}

/**
 * Resolves a reference.
 * @throws {@link VerdictError} `VERDICT_TAG_NOT_FOUND` if there is no such tag; OciError, RegistryError
 */
export async function nameImage(content: AttachmentReader['content'], text: string): Promise<NamedImage> {
  const reference = parseReference(text)
  const name = referenceName(reference)
  try {
    return { ...(await resolveImage(content, reference)), reference, name }
  } catch (cause) {
    if (!isCodedError(cause) || cause.code !== 'REGISTRY_NOT_FOUND' || reference.kind !== 'tag') throw cause
    throw new VerdictError('VERDICT_TAG_NOT_FOUND', `image tag not found: ${name}`, {
      hint: 'check the name and the tag',
      cause,
    })
  }
}

/**
 * What was attached to an image at a tag of its own, before referrers: an image like any other, which can be signed.
 * @throws as {@link nameImage} does
 */
export async function attachedImage(
  images: AttachmentReader,
  { repository, descriptor }: DigestedImage,
  kind: 'sbom',
): Promise<NamedImage> {
  const place = repositoryName(attachmentsOf(images, repository))
  return await nameImage(images.content, `${place}:${attachmentTag(descriptor.digest, kind, images.tagPrefix)}`)
}

/** Tells a signer that a tag may not be what they think it is. */
export function warnAboutTag(host: Host, { reference, descriptor }: NamedImage, text: string): void {
  if (reference.kind === 'digest') return
  host.terminal.note(
    [
      `WARNING: Image reference ${text} uses a tag, not a digest, to identify the image to sign.`,
      '    A tag can be moved, so this may not be the image you built and looked at. To be sure, name',
      `    it by its digest; now that is @${descriptor.digest}.`,
    ].join('\n'),
  )
}

/** `k=v` pairs. @throws {@link CliError} `CLI_INPUT` */
export function readAnnotations(pairs: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    pairs.map((pair) => {
      const equals = pair.indexOf('=')
      if (equals > 0) return [pair.slice(0, equals), pair.slice(equals + 1)]
      throw new CliError('CLI_INPUT', `unable to parse annotation: ${pair}`, { expected: 'key=value' })
    }),
  )
}

/** When an attachment says it was made: now, or the time that reproducible builds are given (reproducible-builds.org). */
export function creationTime(environment: Environment, clock: Clock): UnixMillis {
  const text = environment['SOURCE_DATE_EPOCH'] ?? ''
  if (text === '') return clock()
  if (/^\d{1,11}$/.test(text)) return Number(text) * 1000
  throw new CliError('CLI_INPUT', 'SOURCE_DATE_EPOCH is not a time', {
    expected: 'seconds since 1970',
    found: text.slice(0, 40),
  })
}
