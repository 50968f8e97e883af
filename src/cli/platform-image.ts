/** The image for a platform in an image for several (`--platform`). @module */
import type { ContentReader } from '#clients/registry/registry'
import type { Descriptor } from '#formats/oci/descriptor'
import type { ResolvedImage } from '#images/attachment'
import { expandImage } from '#images/resolve'
import { CliError } from './kit/errors.js'

/** The image for the platform; the image itself if none is asked for. @throws {@link CliError} `CLI_INPUT` if there is none */
export async function imageForPlatform(
  content: ContentReader,
  image: ResolvedImage,
  platform: string | undefined,
): Promise<ResolvedImage> {
  if (platform === undefined) return image
  const all = await expandImage(content, image)
  const match = all.find(({ descriptor }) => platformName(descriptor) === platform)
  if (match !== undefined) return match
  throw new CliError('CLI_INPUT', `no image for platform ${platform}`, {
    found: all.flatMap(({ descriptor }) => platformName(descriptor) ?? []).join(', ') || 'no platforms',
  })
}

/** `linux/arm64/v8` */
export function platformName({ platform }: Descriptor): string | undefined {
  if (platform === undefined) return undefined
  const { os, architecture, variant } = platform
  return variant === undefined ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`
}
