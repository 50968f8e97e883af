/** The images that a file of Kubernetes resources names. @module */
import { isJsonObject, type JsonObject, type JsonValue } from '#encoding/json'
import { readDocuments, type DocumentLimits } from '#policy/internal/documents'
import { podImagesOfAnyKind } from '#policy/internal/pod-images'
import { CliError } from '../kit/errors.js'
import { inline } from '../kit/printable.js'

/** A file that somebody deploys, rendered charts too. */
const LIMITS: DocumentLimits = { text: 32 * 1024 * 1024, nodes: 4_000_000, documents: 20_000 }

/** What was found in a file. */
export interface ManifestImages {
  /** As they are written, in order. */
  readonly images: readonly string[]
  /** What the documents are called in which no image was found. */
  readonly without: readonly string[]
}

/**
 * Images of init containers, containers, ephemeral containers and image volumes: of pods, and of whatever has a template of pods.
 * @throws PolicyError `POLICY_DOCUMENT`; {@link CliError} `CLI_INPUT` for an image that is no text
 */
export async function imagesOfManifest(text: string, file: string): Promise<ManifestImages> {
  const documents = await readDocuments(text, file, LIMITS)
  const found = documents.map(({ value, label }) => ({ label, images: imagesIn(value, label) }))
  return {
    images: found.flatMap(({ images }) => images),
    without: found.flatMap(({ label, images }) => (images.length === 0 ? [label] : [])),
  }
}

function imagesIn(resource: JsonObject, label: string): readonly string[] {
  const own = podImagesOfAnyKind(resource).map(({ value, path }) => {
    if (typeof value === 'string') return value
    throw new CliError('CLI_INPUT', `${inline(label)}: ${inline(path)} is not the name of an image`, {
      expected: 'text',
    })
  })
  return [...own, ...listed(resource).flatMap((item) => imagesIn(item, label))]
}

/** A `PodList` and the like; a `List` was taken apart when it was read. */
function listed({ kind, items }: JsonObject): readonly JsonObject[] {
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return []
  return (items as readonly JsonValue[]).filter(isJsonObject)
}
