/** ML-DSA private keys, kept as their 32-byte seeds (RFC 9881). @module */
import { derBitString, derImplicit, derInteger, derOctetString, derOid, derSequence } from '#encoding/der-writer'
import type { Algorithm, KeyType } from './algorithms.js'
import { KeyError } from './key-error.js'
import { mlDsaPublicKey, signMlDsa } from './ml-dsa.js'
import type { PrivateKey } from './private-key.js'
import { parsePublicKey } from './public-key.js'
import { randomBytes } from './random.js'
import { collectInput } from './sign-input.js'

const OIDS = new Map<KeyType, string>([
  ['ml-dsa-44', '2.16.840.1.101.3.4.3.17'],
  ['ml-dsa-65', '2.16.840.1.101.3.4.3.18'],
  ['ml-dsa-87', '2.16.840.1.101.3.4.3.19'],
])

/** Makes a key from the given seed, or from a new one. */
export async function mlDsaPrivateKey(algorithm: Algorithm, seed: Uint8Array = randomBytes(32)): Promise<PrivateKey> {
  const identifier = derSequence(derOid(OIDS.get(algorithm.keyType) ?? ''))
  const publicKey = parsePublicKey(derSequence(identifier, derBitString(await mlDsaPublicKey(algorithm.keyType, seed))))
  const key: PrivateKey = {
    algorithm,
    publicKey,
    sign: async (input) => await signMlDsa(algorithm.keyType, seed, await collectInput(input)),
    exportPkcs8: () => derSequence(derInteger(0), identifier, derOctetString(derImplicit(0, seed))),
    withAlgorithm(other) {
      if (other.keyType === algorithm.keyType) return key
      throw new KeyError('KEY_ALGORITHM_MISMATCH', 'the key does not fit the signature algorithm', {
        expected: other.keyType,
        found: algorithm.keyType,
      })
    },
  }
  return key
}
