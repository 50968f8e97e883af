/** What a context entry of kind `imageRegistry` is given of an image. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isDigest } from '#formats/oci/digest'
import { readImageName } from '../internal/image-name.js'
import type { PlanServices } from '../internal/policy.js'

const PLATFORM = { os: 'linux', architecture: 'amd64' } as const

/**
 * Manifest and configuration; of an index those for Linux on AMD64, or else the first that it lists.
 * @throws PolicyError `POLICY_IMAGE`, or what the registry says
 */
export async function imageData(text: string, services: PlanServices): Promise<JsonValue> {
  const image = readImageName(text)
  const pinned = await services.resolve(image)
  const { repository, digest } = pinned
  const [top, configs] = await Promise.all([services.manifest(pinned), services.configs(pinned)])
  const child = chosenChild(top)
  const manifest = child === undefined ? top : await services.manifest({ repository, digest: child })
  const { registry, repository: name } = repository
  return {
    image: text,
    resolvedImage: `${registry}/${name}@${digest}`,
    registry,
    repository: name,
    identifier: image.reference.tag ?? digest,
    manifestList: child === undefined ? null : top,
    manifest,
    configData: configs.get(`${PLATFORM.os}/${PLATFORM.architecture}`) ?? [...configs.values()][0] ?? null,
  }
}

/** Undefined for what is no index. */
function chosenChild(manifest: JsonValue): string | undefined {
  const list = isJsonObject(manifest) ? manifest['manifests'] : undefined
  if (!Array.isArray(list)) return undefined
  const children = (list as readonly JsonValue[]).filter(isJsonObject)
  const digest = (children.find(isPlatform) ?? children[0])?.['digest']
  return typeof digest === 'string' && isDigest(digest) ? digest : undefined
}

function isPlatform({ platform }: JsonObject): boolean {
  return isJsonObject(platform) && platform['os'] === PLATFORM.os && platform['architecture'] === PLATFORM.architecture
}
