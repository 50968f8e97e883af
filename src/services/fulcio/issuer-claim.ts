/** The JSONPath of `issuer-claim`, of which plain member names are used: `$.federated_claims.connector_id`. @module */
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'

const PATH = /^\$(?:\.[A-Za-z_][A-Za-z0-9_-]*)+$/

/** Whether a path is one that {@link readIssuerClaim} follows. */
export function isIssuerClaimPath(path: string): boolean {
  return PATH.test(path)
}

/** The text at the path, or undefined. */
export function readIssuerClaim(claims: JsonObject, path: string): string | undefined {
  let value: JsonValue | undefined = claims
  for (const name of path.split('.').slice(1)) {
    value = isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined
  }
  return typeof value === 'string' && value !== '' ? value : undefined
}
