/** An installation of the gate, as objects for `kubectl apply`, in the order in which they need each other. @module */
import type { JsonObject } from '#encoding/json'
import { accessManifests } from './access.js'
import { customResourceDefinition, DEFINITIONS } from './definitions.js'
import { LABELS } from './labels.js'
import type { ManifestOptions } from './options.js'
import { webhookConfigurations } from './webhooks.js'
import { workloadManifests } from './workload.js'

export function installationManifests(options: ManifestOptions): readonly JsonObject[] {
  return [
    namespaceManifest(options.namespace),
    ...definitionManifests(options),
    ...accessManifests(options),
    ...workloadManifests(options),
    // Last: from here on the gate is asked.
    ...webhookConfigurations(options),
  ]
}

export function definitionManifests({ definitions }: Pick<ManifestOptions, 'definitions'>): readonly JsonObject[] {
  return DEFINITIONS.filter(({ family }) => definitions.includes(family)).map((definition) =>
    customResourceDefinition(definition, LABELS),
  )
}

function namespaceManifest(name: string): JsonObject {
  const labels = { ...LABELS, 'pod-security.kubernetes.io/enforce': 'restricted' }
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}
