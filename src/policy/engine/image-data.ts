/** What is known about an image besides its signatures, in the shape that Kyverno gives it. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import type { NamedImage, PinnedImage } from '../internal/image.js'
import type { Session } from './session.js'

/** Of an image for several platforms, the one that is looked into. */
const PLATFORM = 'linux/amd64'

export async function imageData(session: Session, image: NamedImage, pinned: PinnedImage): Promise<JsonObject> {
  const { reference, text } = image
  const { registry, repository } = pinned.repository
  const [top, configs] = await Promise.all([session.manifest(pinned), session.configs(pinned)])
  const child = childOf(top)
  const manifest = child === undefined ? top : await session.manifest({ ...pinned, digest: child })
  return {
    image: text,
    resolvedImage: `${registry}/${repository}@${pinned.digest}`,
    registry,
    repository,
    identifier: reference.kind === 'digest' ? reference.digest : reference.tag,
    ...(reference.tag === undefined ? {} : { tag: reference.tag }),
    digest: pinned.digest,
    ...(child === undefined ? {} : { imageIndex: top }),
    manifest,
    config: configs.get(PLATFORM) ?? [...configs.values()][0] ?? {},
  }
}

/** The manifest of an index that is for that platform, or the first one. */
function childOf(top: JsonValue): string | undefined {
  const manifests = isJsonObject(top) ? top['manifests'] : undefined
  if (!Array.isArray(manifests)) return undefined
  const all = (manifests as readonly JsonValue[]).filter(isJsonObject)
  const found = all.find(({ platform }) => platformText(platform) === PLATFORM) ?? all[0]
  const digest = found?.['digest']
  return typeof digest === 'string' ? digest : undefined
}

function platformText(platform: JsonValue | undefined): string {
  if (!isJsonObject(platform)) return ''
  const { os, architecture } = platform
  return typeof os === 'string' && typeof architecture === 'string' ? `${os}/${architecture}` : ''
}
