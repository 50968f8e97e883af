/** One of the images in a multi-arch image, by what it runs on. @module */
import type { ContentReader } from '#clients/registry/registry'
import type { Platform } from '#formats/oci/descriptor'
import type { ResolvedImage } from './attachment.js'
import { ImagesError } from './images-error.js'
import { expandImage } from './resolve.js'

/**
 * The one image for a platform, given as `os/architecture[/variant][:os.version]`; what is not given may be anything.
 * @throws RegistryError; ImagesError IMAGES_PLATFORM if there is none, or several
 */
export async function imageForPlatform(
  content: ContentReader,
  image: ResolvedImage,
  text: string,
): Promise<ResolvedImage> {
  const wanted = parsePlatform(text)
  const all = (await expandImage(content, image)).slice(1)
  if (all.length === 0) throw new ImagesError('IMAGES_PLATFORM', 'specified reference is not a multiarch image')
  const matching = all.filter(({ descriptor: { platform } }) => platform !== undefined && matches(wanted, platform))
  const [match] = matching
  if (match !== undefined && matching.length === 1) return match
  throw new ImagesError(
    'IMAGES_PLATFORM',
    matching.length === 0
      ? `unable to find an entity for ${text}`
      : 'platform spec matches more than one image architecture',
    { expected: `one image for ${text}`, found: platformNames(matching.length === 0 ? all : matching) },
  )
}

function parsePlatform(text: string): Partial<Platform> {
  const [, os = '', architecture, variant, osVersion] =
    /^([\w.-]+)(?:\/([\w.-]+)(?:\/([\w.-]+))?)?(?::([\w.-]+))?$/.exec(text) ?? []
  if (os !== '') return { os, architecture: architecture ?? '', variant, osVersion }
  throw new ImagesError('IMAGES_PLATFORM', 'not a platform', {
    expected: 'os/architecture[/variant], such as linux/arm64',
    found: text.slice(0, 100),
  })
}

function matches(wanted: Partial<Platform>, found: Platform): boolean {
  const same = (a: string | undefined, b: string | undefined): boolean => a === undefined || a === '' || a === b
  return (
    same(wanted.os, found.os) &&
    same(wanted.architecture, found.architecture) &&
    same(wanted.variant, found.variant) &&
    sameVersion(wanted, found)
  )
}

/** Of Windows a version without its last part, the revision, means any revision of it, as cosign has it. */
function sameVersion({ os, osVersion }: Partial<Platform>, found: Platform): boolean {
  if (osVersion === undefined || osVersion === found.osVersion) return true
  return os === 'windows' && osVersion.split('.').length === 3 && found.osVersion?.startsWith(`${osVersion}.`) === true
}

function platformNames(images: readonly ResolvedImage[]): string {
  const names = images.flatMap(({ descriptor: { platform } }) =>
    platform === undefined ? [] : [platformName(platform)],
  )
  return names.join(', ') || 'no platforms'
}

/** `linux/arm64/v8` */
export function platformName({ os, architecture, variant }: Platform): string {
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`
}
