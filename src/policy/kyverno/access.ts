/** `imageRegistryCredentials`: the logins that a rule brings along. @module */
import type { Fields } from '../internal/fields.js'
import type { RegistryAccess } from '../internal/policy.js'
import { forbidden, invalidValue } from './complain.js'

const PROVIDERS = ['default', 'google', 'azure', 'amazon', 'github']
const MAX_SECRETS = 50

/** Undefined where there are none. */
export function readAccess(rule: Fields, namespace: string | undefined): RegistryAccess | undefined {
  const fields = rule.object('imageRegistryCredentials')?.only('allowInsecureRegistry', 'providers', 'secrets')
  if (fields === undefined) return undefined
  const providers = fields.texts('providers')
  if (providers.some((name) => !PROVIDERS.includes(name)))
    invalidValue(fields, `expected some of ${PROVIDERS.join(', ')}`, 'providers')
  const secrets = fields.texts('secrets')
  if (secrets.length > MAX_SECRETS) invalidValue(fields, `expected at most ${String(MAX_SECRETS)}`, 'secrets')
  return {
    providers,
    allowInsecure: fields.boolean('allowInsecureRegistry') ?? false,
    secrets: secrets.slice(0, MAX_SECRETS).flatMap((text) => {
      const [first = '', second, ...more] = text.split('/')
      if (first === '' || second === '' || more.length > 0) {
        invalidValue(fields, 'expected name or namespace/name', 'secrets')
        return []
      }
      // Whoever writes policies for one namespace must not read with the logins of another.
      if (namespace !== undefined && second !== undefined && first !== namespace)
        forbidden(fields, 'secrets', 'a namespaced policy uses secrets of its own namespace')
      const [at, name] = second === undefined ? [namespace, first] : [first, second]
      return [at === undefined ? { name } : { namespace: at, name }]
    }),
  }
}
