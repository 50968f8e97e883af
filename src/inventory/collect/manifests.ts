/** Images that manifests in files name. @module */
import type { JsonObject } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import { readDocuments, type DocumentLimits } from '#policy/internal/documents'
import { imagesOfWorkload, type Owner } from './pod.js'
import type { Sighting } from './sighting.js'

/** All pods of a large cluster, as `kubectl get pods -A -o yaml` prints them. */
const LIMITS: DocumentLimits = { text: 128 * 1024 * 1024, nodes: 20_000_000, documents: 100_000 }

/**
 * The images of every workload in a file of YAML or JSON documents; other documents have none.
 * @throws PolicyError `POLICY_DOCUMENT`
 */
export async function imagesOfManifests(text: string, file: string): Promise<readonly Sighting[]> {
  const documents = await readDocuments(text, file, LIMITS)
  return documents.flatMap(({ value }) => {
    const { kind } = value
    return typeof kind === 'string' ? imagesOfWorkload(value, { kind, owner: ownerOf(kind, value) }) : []
  })
}

function ownerOf(kind: string, { metadata }: JsonObject): Owner {
  const { namespace, name } = isJsonObject(metadata) ? metadata : {}
  return {
    namespace: typeof namespace === 'string' ? namespace : undefined,
    kind,
    name: typeof name === 'string' ? name : '',
  }
}
