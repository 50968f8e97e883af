/** Parts of a trusted root, from descriptions on the command line and the files they name. @module */
import { defaultAlgorithm } from '#crypto/algorithms'
import { publicKeyFromPem } from '#crypto/public-key'
import { logKeyHash } from '#formats/note/key'
import type { TimeRange, TrustedAuthority, TrustedLog } from '#formats/trusted-root/trusted-root'
import type { Certificate } from '#formats/x509/certificate'
import { CliError } from './kit/errors.js'
import type { Host } from './kit/host.js'
import { type KeyValues, parseKeyValues } from './key-values.js'
import { parseInput, readTextFile } from './read-input.js'
import { readCertificates } from './trust.js'

const AUTHORITY_KEYS = ['url', 'certificate-chain', 'start-time', 'end-time']
const LOG_KEYS = ['url', 'public-key', 'start-time', 'end-time', 'origin']

/** A Fulcio: `url=…,certificate-chain=FILE[,start-time=…][,end-time=…]`. */
export async function authorityFromText(host: Host, flag: string, text: string): Promise<TrustedAuthority> {
  const values = parseKeyValues(flag, text, AUTHORITY_KEYS)
  const chain = await readCertificates(host, values.required('certificate-chain'))
  return authority(chain, values)
}

/** A timestamp authority; its chain begins with its own certificate. */
export async function timestampAuthorityFromText(host: Host, flag: string, text: string): Promise<TrustedAuthority> {
  const authorityOfText = await authorityFromText(host, flag, text)
  const [leaf, ...rest] = authorityOfText.chain
  if (leaf?.basicConstraints?.ca !== true && rest.length > 0) return authorityOfText
  throw new CliError(
    'CLI_INPUT',
    `parsing ${flag}: the chain of a timestamp authority does not begin with its own certificate`,
    {
      expected: 'at least two certificates, the leaf first and the root last',
      found: `${String(rest.length + 1)} certificate(s), the first ${leaf?.basicConstraints?.ca === true ? 'of an authority' : 'a leaf'}`,
    },
  )
}

function authority(chain: readonly Certificate[], values: KeyValues): TrustedAuthority {
  const root = chain[chain.length - 1]
  const subject =
    root === undefined ? undefined : { organization: attribute(root, 'O'), commonName: attribute(root, 'CN') }
  return { uri: values.optional('url') ?? '', subject, chain, validFor: range(values, root?.notBefore ?? 0) }
}

function attribute({ subject }: Certificate, name: string): string {
  return new RegExp(`(?:^|,)${name}=([^,]*)`).exec(subject.text)?.[1] ?? ''
}

/** A log: `url=…,public-key=FILE,start-time=…[,end-time=…][,origin=…]`; the origin is what a Rekor v2 or static CT log signs as. */
export async function logFromText(host: Host, flag: string, text: string): Promise<TrustedLog> {
  const values = parseKeyValues(flag, text, LOG_KEYS)
  const path = values.required('public-key')
  const pem = await readTextFile(host, path)
  const key = parseInput(path, () => publicKeyFromPem(pem))
  const origin = values.optional('origin')
  return {
    baseUrl: values.optional('url') ?? '',
    hashAlgorithm: 'sha256',
    key,
    algorithm: defaultAlgorithm(key),
    validFor: range(values, 0),
    logId: origin === undefined ? key.id : logKeyHash({ name: origin, key, rule: 'note' }),
  }
}

function range(values: KeyValues, start: number): TimeRange {
  const end = values.time('end-time')
  return { start: values.time('start-time') ?? start, ...(end === undefined ? {} : { end }) }
}
