/** Which namespaces the webhooks guard: the scan looks where the API server asks. @module */
import { isJsonObject } from '#encoding/json'
import type { JsonObject, JsonValue } from '#encoding/json'
import { POLICY_FAMILIES } from '#policy/front-ends'
import type { PolicyFamily } from '#policy/front-ends'
import { Complaints, Fields } from '#policy/internal/fields'
import { labelsOf, readLabelSelector, selectsLabels } from '#policy/internal/label-selector'
import type { LabelSelector } from '#policy/internal/label-selector'
import { PATHS } from '../admission/routes.js'

/** Whether a family's webhook is asked about a namespace. */
export type Scope = (family: PolicyFamily, namespace: JsonObject) => boolean

/** From the ValidatingWebhookConfiguration; where there is none, or it says nothing of a family, the family is not asked. */
export function scopeOf(configuration: JsonObject): Scope {
  const selectors = new Map(POLICY_FAMILIES.map((family) => [family, selectorsFor(configuration, family)]))
  return (family, namespace) => {
    const labels = labelsOf(namespace)
    return (selectors.get(family) ?? []).some((selector) => selectsLabels(selector, labels))
  }
}

function selectorsFor({ webhooks }: JsonObject, family: PolicyFamily): readonly LabelSelector[] {
  if (!Array.isArray(webhooks)) return []
  return (webhooks as readonly JsonValue[]).flatMap((webhook) => {
    if (!isJsonObject(webhook) || !leadsTo(webhook, family)) return []
    const complaints = new Complaints()
    const fields = new Fields(webhook, '', complaints).object('namespaceSelector')
    const selector = readLabelSelector(fields ?? new Fields({}, '', complaints))
    return complaints.texts.length === 0 ? [selector] : []
  })
}

function leadsTo({ clientConfig }: JsonObject, family: PolicyFamily): boolean {
  const service = isJsonObject(clientConfig) ? clientConfig['service'] : undefined
  const path = isJsonObject(service) ? service['path'] : undefined
  return path === PATHS.validating || path === `${PATHS.validating}/${family}`
}
