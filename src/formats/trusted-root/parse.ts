/** Reading trusted roots, versions 0.1 and 0.2. @module */
import { KEY_DETAILS_NUMBERS } from '#crypto/algorithms'
import type { JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import { readMessage } from '#encoding/protojson'
import { isCodedError } from '#errors'
import { HASH_ALGORITHMS, digestNameFromProto } from '../hash-algorithm.js'
import { parseLogId } from '../rekor-entry/log-entry-proto.js'
import type { Certificate } from '../x509/certificate.js'
import { parseCertificate } from '../x509/parse-certificate.js'
import { parseLogKey } from './key-details.js'
import { parseTimeRange } from './time-range.js'
import type { TrustedAuthority, TrustedLog, TrustedRoot } from './trusted-root.js'
import { TrustedRootError } from './trusted-root-error.js'

const MEDIA_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=0\.[12]|\.v0\.[12]\+json)$/

const ROOT_FIELDS = ['mediaType', 'tlogs', 'certificateAuthorities', 'ctlogs', 'timestampAuthorities'] as const
const LOG_FIELDS = ['baseUrl', 'hashAlgorithm', 'publicKey', 'logId', 'checkpointKeyId', 'operator'] as const
const AUTHORITY_FIELDS = ['subject', 'uri', 'certChain', 'validFor', 'operator'] as const

/**
 * Reads a trusted root from JSON text. Unknown fields are refused, as the reference client does: a trusted root that
 * says more than is understood may mean something else.
 * @throws TrustedRootError
 */
export function parseTrustedRoot(source: string | Uint8Array): TrustedRoot {
  try {
    return trustedRootFromJson(parseJson(source))
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof TrustedRootError) throw cause
    const { expected, found } = cause
    throw new TrustedRootError('TRUSTED_ROOT_MALFORMED', `not a trusted root: ${cause.message}`, {
      expected,
      found,
      cause,
    })
  }
}

/** The same from a JSON value, for documents that hold a trusted root. @throws TrustedRootError, ProtojsonError */
export function trustedRootFromJson(value: JsonValue, path = ''): TrustedRoot {
  const reader = readMessage(value, path, { names: ROOT_FIELDS })
  const mediaType = reader.string('mediaType')
  if (!MEDIA_TYPE.test(mediaType)) {
    throw new TrustedRootError('TRUSTED_ROOT_MEDIA_TYPE', 'not a trusted root of a known version', {
      expected: 'application/vnd.dev.sigstore.trustedroot of version 0.1 or 0.2',
      found: mediaType.slice(0, 100),
    })
  }
  return {
    certificateAuthorities: reader.list('certificateAuthorities', parseAuthority),
    timestampAuthorities: reader.list('timestampAuthorities', parseAuthority),
    tlogs: reader.list('tlogs', parseLog),
    ctlogs: reader.list('ctlogs', parseLog),
  }
}

function parseAuthority(value: JsonValue, path: string): TrustedAuthority {
  const reader = readMessage(value, path, { names: AUTHORITY_FIELDS })
  const chain = reader.message('certChain', (inner, at) =>
    readMessage(inner, at, { names: ['certificates'] }).list('certificates', parseTrustedCertificate),
  )
  if (chain.length === 0) throw badCertificate(path, 'an empty chain')
  return {
    uri: reader.optionalString('uri') ?? '',
    subject: reader.optionalMessage('subject', (inner, at) => {
      const name = readMessage(inner, at, { names: ['organization', 'commonName'] })
      return {
        organization: name.optionalString('organization') ?? '',
        commonName: name.optionalString('commonName') ?? '',
      }
    }),
    chain,
    validFor: reader.optionalMessage('validFor', parseTimeRange) ?? {},
    operator: reader.optionalString('operator'),
  }
}

function parseTrustedCertificate(value: JsonValue, path: string): Certificate {
  const der = readMessage(value, path, { names: ['rawBytes'] }).bytes('rawBytes')
  try {
    return parseCertificate(der)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw badCertificate(path, cause.message, cause)
  }
}

function parseLog(value: JsonValue, path: string): TrustedLog {
  const reader = readMessage(value, path, { names: LOG_FIELDS })
  const algorithm = reader.optionalEnum('hashAlgorithm', HASH_ALGORITHMS)
  const hashAlgorithm = algorithm === undefined ? undefined : digestNameFromProto(algorithm)
  if (hashAlgorithm !== 'sha256') {
    throw new TrustedRootError('TRUSTED_ROOT_MALFORMED', `${path} has a tree that is hashed in an unsupported way`, {
      expected: 'SHA2_256',
      found: algorithm ?? 'nothing',
    })
  }
  return {
    baseUrl: reader.optionalString('baseUrl') ?? '',
    hashAlgorithm,
    ...reader.message('publicKey', parseLogPublicKey),
    logId: reader.message('logId', parseLogId),
    checkpointKeyId: reader.optionalMessage('checkpointKeyId', parseLogId),
    operator: reader.optionalString('operator'),
  }
}

function parseLogPublicKey(value: JsonValue, path: string): Pick<TrustedLog, 'key' | 'algorithm' | 'validFor'> {
  const reader = readMessage(value, path, { names: ['rawBytes', 'keyDetails', 'validFor'] })
  const validFor = reader.optionalMessage('validFor', parseTimeRange)
  if (validFor?.start === undefined) {
    // Without a start, a log would be trusted for times when somebody else may have held its name.
    throw new TrustedRootError('TRUSTED_ROOT_VALIDITY', `${path} does not say since when the key of the log is valid`, {
      expected: 'validFor.start',
    })
  }
  const keyDetails = reader.optionalEnum('keyDetails', KEY_DETAILS_NUMBERS) ?? 'PUBLIC_KEY_DETAILS_UNSPECIFIED'
  return { ...parseLogKey(reader.bytes('rawBytes'), keyDetails, path), validFor }
}

function badCertificate(path: string, found: string, cause?: unknown): TrustedRootError {
  return new TrustedRootError('TRUSTED_ROOT_CERTIFICATE', `${path} is not a certificate chain that can be used`, {
    expected: 'X.509 certificates in DER, the trust anchor last',
    found,
    cause,
  })
}
