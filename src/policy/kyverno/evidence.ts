/** `rekor` and `ctlog` of an attestor: which evidence it asks for, and by whose word. @module */
import { defaultAlgorithm } from '#crypto/algorithms'
import type { TrustedAuthority, TrustedLog } from '#formats/trusted-root/trusted-root'
import { isSelfIssued } from '#formats/x509/self-issued'
import { DEFAULT_TRUST } from '../internal/attestor.js'
import type { Evidence, TrustPart, TrustSource } from '../internal/attestor.js'
import type { Fields } from '../internal/fields.js'
import { guarded } from './complain.js'
import { readCertificates, readPublicKeys } from './pem.js'
import type { VerifyReading } from './reading.js'

/** What an attestor asks for besides the signature. */
export interface ReadEvidence {
  readonly evidence: Evidence
  readonly trust: TrustSource
}

/**
 * Reads both. Without `rekor` the log is asked for all the same, as in the original; `rekor.url` is where the original looks for
 * entries that are not with the signature, and is not asked here.
 */
export function readEvidence(fields: Fields, reading: VerifyReading): ReadEvidence {
  const rekor = fields.object('rekor')?.only('url', 'pubkey', 'ignoreTlog')
  const ctlog = fields.object('ctlog')?.only('ignoreSCT', 'pubkey', 'tsaCertChain')
  rekor?.text('url')
  const ignoreTlog = rekor?.boolean('ignoreTlog') ?? false
  return {
    evidence: {
      tlog: ignoreTlog ? 'ignored' : 'required',
      timestamp: 'accepted',
      sct: (ctlog?.boolean('ignoreSCT') ?? false) ? 'ignored' : 'required',
      // Who does without the log does without its time as well; what is left is the time at which a resource is applied.
      unwitnessed: ignoreTlog ? 'now' : 'refused',
    },
    trust: {
      certificateAuthorities: DEFAULT_TRUST.certificateAuthorities,
      tlogs: rekor === undefined ? DEFAULT_TRUST.tlogs : readLogs(rekor, reading),
      ctlogs: ctlog === undefined ? DEFAULT_TRUST.ctlogs : readLogs(ctlog, reading),
      timestampAuthorities:
        ctlog === undefined ? DEFAULT_TRUST.timestampAuthorities : readTimestampAuthorities(ctlog, reading),
    },
  }
}

function readLogs(fields: Fields, reading: VerifyReading): TrustPart<TrustedLog> {
  const text = reading.text(fields, 'pubkey')
  if (text === undefined) return { kind: 'default' }
  const keys = guarded(fields, 'pubkey', () => readPublicKeys(text)) ?? []
  const baseUrl = fields.text('url') ?? ''
  const values = keys.map((key): TrustedLog => {
    const log = { baseUrl, hashAlgorithm: 'sha256', key, validFor: { start: 0 }, logId: key.id } as const
    return { ...log, algorithm: defaultAlgorithm(key) }
  })
  return { kind: 'own', values }
}

/** One authority for each root, with the certificates that lead to it. */
function readTimestampAuthorities(fields: Fields, reading: VerifyReading): TrustPart<TrustedAuthority> {
  const text = reading.text(fields, 'tsaCertChain')
  if (text === undefined) return { kind: 'default' }
  const certificates = guarded(fields, 'tsaCertChain', () => readCertificates(text)) ?? []
  const leaves = certificates.filter(({ basicConstraints }) => basicConstraints?.ca !== true)
  const authorities = certificates.filter(({ basicConstraints }) => basicConstraints?.ca === true)
  const roots = authorities.filter(isSelfIssued)
  const intermediates = authorities.filter((certificate) => !isSelfIssued(certificate))
  const anchors = roots.length > 0 ? roots : intermediates.slice(-1)
  if (certificates.length > 0 && anchors.length === 0)
    fields.complaints.add(`${fields.at('tsaCertChain')}: Invalid value: there is no authority's certificate in it`)
  const values = anchors.map((anchor): TrustedAuthority => {
    const chain = [...leaves, ...intermediates.filter((each) => each !== anchor), anchor]
    return { uri: '', subject: undefined, chain, validFor: {} }
  })
  return { kind: 'own', values }
}
