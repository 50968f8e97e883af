/** The settings of policy-controller: the ConfigMap `config-policy-controller`. @module */
import type { JsonObject } from '#encoding/json'
import { Complaints, Fields } from '../internal/fields.js'

export const CONTROLLER_CONFIG_NAME = 'config-policy-controller'

export interface ControllerConfig {
  /** What happens to an image that no policy is about. */
  readonly noMatch: 'deny' | 'warn' | 'allow'
  readonly failOnEmptyAuthorities: boolean
}

export const DEFAULT_CONTROLLER_CONFIG: ControllerConfig = { noMatch: 'deny', failOnEmptyAuthorities: true }

const NO_MATCH = ['deny', 'warn', 'allow'] as const
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['false', false],
])

/**
 * Reads the settings. `enable-oci11` is read and changes nothing: attestations are found in every layout, and verified in every one.
 * @throws PolicyError `POLICY_FIELD`; a setting that cannot be read is not a milder one
 */
export function readControllerConfig(configMap: JsonObject): ControllerConfig {
  const complaints = new Complaints()
  const data = new Fields(configMap, '', complaints).object('data')
  const noMatchText = data?.text('no-match-policy') ?? 'deny'
  const noMatch = NO_MATCH.find((known) => known === noMatchText)
  if (noMatch === undefined)
    complaints.invalid(noMatchText, 'data.no-match-policy', `expected one of ${NO_MATCH.join(', ')}`)
  const failText = data?.text('fail-on-empty-authorities') ?? 'true'
  const fail = BOOLEANS.get(failText)
  if (fail === undefined) complaints.invalid(failText, 'data.fail-on-empty-authorities', 'expected true or false')
  complaints.throwIfAny(`${CONTROLLER_CONFIG_NAME}: `)
  return { noMatch: noMatch ?? 'deny', failOnEmptyAuthorities: fail ?? true }
}
