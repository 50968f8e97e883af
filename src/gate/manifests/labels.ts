/** Labels by which the parts of an installation are found. @module */
import type { JsonObject } from '#encoding/json'

/** What the deployment and the service select by: it can never change. */
export const SELECTOR: Readonly<Record<string, string>> = {
  'app.kubernetes.io/name': 'countersign',
  'app.kubernetes.io/component': 'admission',
}

export const LABELS: Readonly<Record<string, string>> = { ...SELECTOR, 'app.kubernetes.io/part-of': 'countersign' }

/** Metadata of a part. */
export function partOf(name: string, namespace?: string): { readonly metadata: JsonObject } {
  return { metadata: { name, ...(namespace !== undefined && { namespace }), labels: LABELS } }
}
