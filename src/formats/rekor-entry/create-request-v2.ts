/** What clients ask a Rekor v2 to log, read as its server reads it. @module */
import type { Algorithm } from '#crypto/algorithms'
import { algorithmByKeyDetails } from '#crypto/algorithms'
import type { DigestName } from '#crypto/digest'
import type { JsonObject, JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { encodeBase64 } from '#encoding/base64'
import { isCodedError } from '#errors'
import { parseSignatureV2, signatureV2Json } from './body-v2.js'
import type { HashedRekordV2 } from './body-v2.js'
import { entryDigest } from './entry-digest.js'
import { RekorEntryError } from './rekor-entry-error.js'

/** Fields of requests that existed once, or will: named to be refused with a reason. */
const REQUEST_KINDS = ['hashedRekordRequestV002', 'dsseRequestV002'] as const

/**
 * Reads the body of a request to log an entry. Unknown fields are refused, as Rekor v2 does. Signatures are not verified.
 * @throws RekorEntryError
 */
export function parseCreateEntryRequestV2(source: string | Uint8Array): HashedRekordV2 {
  try {
    return readRequest(parseJson(source))
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof RekorEntryError) throw cause
    const { expected, found } = cause
    throw new RekorEntryError('REKOR_ENTRY_MALFORMED', `not an entry to be logged: ${cause.message}`, {
      expected,
      found,
      cause,
    })
  }
}

function readRequest(value: JsonValue): HashedRekordV2 {
  const reader = readMessage(value, '', { names: REQUEST_KINDS })
  const kind = reader.oneof(...REQUEST_KINDS)
  if (kind !== 'hashedRekordRequestV002') {
    throw new RekorEntryError('REKOR_ENTRY_KIND', 'entries of this kind are not logged here', {
      expected: 'hashedRekordRequestV002',
      found: kind ?? 'nothing',
      hint: 'log an attestation as hashedrekord, over the digest of its DSSE pre-authentication encoding',
    })
  }
  return reader.message(kind, (inner, at) => {
    const fields = readMessage(inner, at, { names: ['digest', 'signature'] })
    const { signature, verifier, keyDetails = '' } = fields.message('signature', parseSignatureV2)
    const algorithm = prehashing(keyDetails)
    return { signature, verifier, algorithm, digest: entryDigest(algorithm.digest, fields.bytes('digest')) }
  })
}

/** Only algorithms that sign a digest can be logged by digest. */
function prehashing(keyDetails: string): Algorithm & { readonly digest: DigestName } {
  const algorithm = algorithmByKeyDetails(keyDetails)
  if (algorithm?.digest !== undefined) return { ...algorithm, digest: algorithm.digest }
  throw new RekorEntryError('REKOR_ENTRY_VERIFIER', 'the signature algorithm is not one that signs digests', {
    expected: 'keyDetails of ECDSA, RSA or Ed25519ph',
    found: keyDetails,
  })
}

/** The request that asks to log a hashedrekord 0.0.2 entry. */
export function createEntryRequestV2(entry: HashedRekordV2): JsonObject {
  return { hashedRekordRequestV002: { digest: encodeBase64(entry.digest.value), signature: signatureV2Json(entry) } }
}
