/** The key of an authority: in the policy, in a secret, or at a key service. @module */
import { publicKeyFromPem } from '#crypto/public-key'
import type { PublicKey } from '#crypto/public-key'
import type { DigestName } from '#crypto/digest'
import { isCodedError } from '#errors'
import type { KeySource, Signer } from '../internal/attestor.js'
import type { Fields } from '../internal/fields.js'

const KEY_FIELDS = ['data', 'kms', 'secretRef'] as const
/** The original writes the last one in lower case. */
const SHOWN = ['data', 'kms', 'secretref'] as const

const DIGESTS: ReadonlyMap<string, DigestName> = new Map([
  ['sha256', 'sha256'],
  ['sha384', 'sha384'],
  ['sha512', 'sha512'],
])

const KMS_SCHEMES = ['awskms://', 'gcpkms://', 'azurekms://', 'hashivault://']
// Other ways to name a key need settings that only the environment of one process has.
const AWS_KMS = /^awskms:\/\/(?:[^/:]+:\d{1,5})?\/arn:[a-z0-9-]+:kms:[a-z0-9-]*:\d*:(?:key|alias)\/[^\s]+$/

/** The signer of `key`, or undefined where there was something to complain about. */
export function readKey(fields: Fields): Signer | undefined {
  fields.only(...KEY_FIELDS, 'hashAlgorithm')
  const digest = readDigest(fields)
  const source = readKeySource(fields)
  return source === undefined ? undefined : { kind: 'key', source, digest }
}

function readDigest(fields: Fields): DigestName | undefined {
  const name = fields.text('hashAlgorithm')
  if (name === undefined) return undefined
  const digest = DIGESTS.get(name.toLowerCase())
  if (digest === undefined)
    fields.complaints.invalid(name, fields.at('hashAlgorithm'), `expected one of ${[...DIGESTS.keys()].join(', ')}`)
  // The default is the key's usual one, which for most keys is this.
  return digest
}

/** Where the key is; also of a `ca-cert`, which names certificates the same way. */
export function readKeySource(fields: Fields): KeySource | undefined {
  const which = fields.exactlyOne(KEY_FIELDS, SHOWN)
  if (which === undefined) return undefined
  if (which === 'data') {
    const key = readPem(fields.text('data') ?? '')
    if (key !== undefined) return { kind: 'inline', key }
    fields.complaints.invalid((fields.text('data') ?? '').trim(), fields.at('data'))
    return undefined
  }
  return which === 'kms' ? readKms(fields) : readSecret(fields)
}

export function readKms(fields: Fields): KeySource | undefined {
  const uri = fields.text('kms') ?? ''
  const known = KMS_SCHEMES.some((scheme) => uri.startsWith(scheme) && uri.length > scheme.length)
  if (known && (!uri.startsWith('awskms://') || AWS_KMS.test(uri))) return { kind: 'kms', uri }
  const expected = uri.startsWith('awskms://')
    ? "malformed AWS KMS format, should be: 'awskms://$ENDPOINT/$KEYID' with the ARN of a key or alias"
    : `expected one of ${KMS_SCHEMES.join(', ')}`
  fields.complaints.invalid(uri, fields.at('kms'), expected)
  return undefined
}

export function readSecret(fields: Fields): KeySource | undefined {
  const secret = fields.object('secretRef')?.only('name', 'namespace')
  const name = secret?.text('name')
  if (name === undefined) {
    fields.complaints.missing(`${fields.at('secretRef')}.name`)
    return undefined
  }
  return { kind: 'secret', namespace: secret?.text('namespace'), name }
}

/** Only the first block counts in the original; a second key that is silently left out helps nobody. */
function readPem(text: string): PublicKey | undefined {
  try {
    return publicKeyFromPem(text)
  } catch (error) {
    if (!isCodedError(error)) throw error
    return undefined
  }
}
