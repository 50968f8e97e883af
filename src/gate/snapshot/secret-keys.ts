/** Public keys in Secrets. @module */
import { publicKeyFromPem } from '#crypto/public-key'
import type { PublicKey } from '#crypto/public-key'
import { decodeBase64 } from '#encoding/base64'
import type { JsonObject } from '#encoding/json'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { Complaints, Fields } from '#policy/internal/fields'
import { PolicyError } from '#policy/internal/policy-error'

/** How Kyverno's secrets call the key; policy-controller's hold nothing but the key, under any name. */
const KEY_ENTRY = 'cosign.pub'

const read = new WeakMap<JsonObject, Map<string | undefined, PublicKey>>()

/**
 * The key of a Secret; read once as long as the Secret stays as it is. Without an entry it is the only one, or the one that is
 * called as cosign calls it.
 * @throws PolicyError `POLICY_KEY`
 */
export function keyOfSecret(secret: JsonObject, { name, entry }: NamedEntry): PublicKey {
  const keys = read.get(secret) ?? new Map<string | undefined, PublicKey>()
  read.set(secret, keys)
  const key = keys.get(entry) ?? readKey(secret, { name, entry })
  keys.set(entry, key)
  return key
}

/** Where in a Secret the key is. */
export interface NamedEntry {
  /** Of the Secret, for messages. */
  readonly name: string
  readonly entry?: string | undefined
}

function readKey(secret: JsonObject, { name, entry }: NamedEntry): PublicKey {
  const entries = dataOf(secret)
  const only = entries.size === 1 ? [...entries.values()][0] : entries.get(KEY_ENTRY)
  const text = entry === undefined ? only : entries.get(entry)
  if (text === undefined) {
    throw new PolicyError('POLICY_KEY', `there is no key in the secret ${name}`, {
      expected: entry === undefined ? `exactly one entry, or one named ${KEY_ENTRY}` : `an entry ${entry}`,
      found: `${String(entries.size)} entries`,
    })
  }
  try {
    return publicKeyFromPem(text)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new PolicyError('POLICY_KEY', `the secret ${name} does not hold a public key: ${cause.message}`, { cause })
  }
}

/** The entries of a Secret, decoded; what is no text is left out. */
export function dataOf(secret: JsonObject): ReadonlyMap<string, string> {
  const fields = new Fields(secret, '', new Complaints())
  const decoded = [...fields.textMap('data')].flatMap(([name, encoded]) => {
    try {
      return [[name, decodeUtf8(decodeBase64(encoded))] as const]
    } catch (error) {
      if (!isCodedError(error)) throw error
      return []
    }
  })
  // Only in files: the API server has put them among the others.
  return new Map([...decoded, ...fields.textMap('stringData')])
}
