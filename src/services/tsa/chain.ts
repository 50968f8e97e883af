/** The certificates of a time-stamping authority: made on the first start, and checked on every start. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import type { PrivateKey, Signer } from '#crypto/private-key'
import { generatePrivateKey } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import { equalBytes } from '#encoding/bytes'
import { buildCertificate, randomSerialNumber } from '#formats/x509/build-certificate'
import type { Certificate } from '#formats/x509/certificate'
import { certificateKey } from '#formats/x509/certificate-key'
import { verifyCertificateSignature } from '#formats/x509/certificate-signature'
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  extendedKeyUsageExtension,
  keyIdentifier,
  keyUsageExtension,
  subjectKeyIdExtension,
} from '#formats/x509/extension-writers'
import { encodeName } from '#formats/x509/name'
import { EKU, EXTENSION } from '#formats/x509/oids'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { UnixMillis } from '#time'
import { StampingError } from './errors.js'

/** A new authority. The root's key is not kept: nothing else is ever to be signed with it. */
export interface NewTimestampAuthority {
  readonly key: PrivateKey
  /** Leaf, intermediate, root. */
  readonly chain: readonly Certificate[]
}

export interface NewTimestampAuthorityOptions {
  readonly organization: string
  readonly now: UnixMillis
  readonly random: RandomSource
  /** Of the leaf; P-256 by default, which every client can verify. */
  readonly algorithm?: AlgorithmName
}

const YEARS = 10
const YEAR = 365 * 86_400_000
/** So that a verifier whose clock is a little behind accepts the first time-stamps. */
const BACKDATE = 5 * 60_000

/** Makes keys and a chain of root, intermediate and leaf, valid for ten years. */
export async function createTimestampAuthority(options: NewTimestampAuthorityOptions): Promise<NewTimestampAuthority> {
  const root = await generatePrivateKey('ecdsa-sha2-384-nistp384')
  const intermediate = await generatePrivateKey('ecdsa-sha2-384-nistp384')
  const leaf = await generatePrivateKey(options.algorithm ?? 'ecdsa-sha2-256-nistp256')
  const timeStamping = [EKU.timeStamping]
  const parties = {
    root: { key: root, commonName: 'timestamp root', extensions: authorityExtensions({ pathLength: 1 }) },
    intermediate: {
      key: intermediate,
      commonName: 'timestamp intermediate',
      extensions: [...authorityExtensions({ pathLength: 0 }), extendedKeyUsageExtension(timeStamping)],
    },
    leaf: {
      key: leaf,
      commonName: 'timestamp authority',
      // RFC 3161 §2.3: critical, and the only usage.
      extensions: [
        keyUsageExtension(['digitalSignature']),
        extendedKeyUsageExtension(timeStamping, { critical: true }),
      ],
    },
  }
  const chain = await Promise.all([
    issue(parties.leaf, parties.intermediate, options),
    issue(parties.intermediate, parties.root, options),
    issue(parties.root, parties.root, options),
  ])
  return { key: leaf, chain }
}

interface Party {
  readonly key: PrivateKey
  readonly commonName: string
  readonly extensions: readonly Uint8Array[]
}

async function issue(subject: Party, issuer: Party, options: NewTimestampAuthorityOptions): Promise<Certificate> {
  const { organization, now, random } = options
  const { spki } = subject.key.publicKey
  const der = await buildCertificate(
    {
      serialNumber: randomSerialNumber(random),
      issuer: encodeName({ organization, commonName: issuer.commonName }),
      subject: encodeName({ organization, commonName: subject.commonName }),
      notBefore: now - BACKDATE,
      notAfter: now + YEARS * YEAR,
      spki,
      extensions: [
        ...subject.extensions,
        subjectKeyIdExtension(keyIdentifier(spki)),
        ...(subject === issuer ? [] : [authorityKeyIdExtension(keyIdentifier(issuer.key.publicKey.spki))]),
      ],
    },
    issuer.key,
  )
  return parseCertificate(der)
}

function authorityExtensions({ pathLength }: { readonly pathLength: number }): readonly Uint8Array[] {
  return [keyUsageExtension(['keyCertSign', 'cRLSign']), basicConstraintsExtension({ ca: true, pathLength })]
}

/**
 * Checks that a key and a chain (leaf first, root last) can be used for time-stamping: RFC 3161 §2.3, and what
 * timestamp-authority asks of intermediates.
 * @throws StampingError STAMPING_CHAIN
 */
export async function checkTimestampChain(key: Signer, chain: readonly Certificate[]): Promise<void> {
  const [leaf, ...issuers] = chain
  if (leaf === undefined || issuers.length === 0)
    throw unusable('the chain is too short', 'a leaf and at least its issuer')
  if (!equalBytes(leaf.spki, key.publicKey.spki)) throw unusable('the key is not that of the first certificate')
  if (leaf.basicConstraints?.ca === true) throw unusable('the first certificate is an authority')
  const usages = leaf.extendedKeyUsage ?? []
  const critical = leaf.extensions.get(EXTENSION.extendedKeyUsage)?.critical === true
  if (usages.length !== 1 || usages[0] !== EKU.timeStamping || !critical) {
    throw unusable(
      'the first certificate is not for time-stamping alone',
      'one extended key usage, timeStamping, critical',
    )
  }
  for (const [index, issuer] of issuers.entries()) {
    if (issuer.basicConstraints?.ca !== true)
      throw unusable('a certificate of the chain is not an authority', undefined, issuer.subject.text)
    const isRoot = index === issuers.length - 1
    if (!isRoot && issuer.extendedKeyUsage?.includes(EKU.timeStamping) !== true) {
      throw unusable(
        'an intermediate is not for time-stamping',
        'the extended key usage timeStamping',
        issuer.subject.text,
      )
    }
    await checkIssued(chain[index] ?? leaf, issuer)
  }
}

async function checkIssued(certificate: Certificate, issuer: Certificate): Promise<void> {
  if (!equalBytes(certificate.issuer.der, issuer.subject.der)) {
    throw unusable('the chain is not in order', certificate.issuer.text, issuer.subject.text)
  }
  try {
    await verifyCertificateSignature(certificate, certificateKey(issuer))
  } catch (cause) {
    throw new StampingError('STAMPING_CHAIN', 'a certificate of the chain is not signed by the next one', {
      found: certificate.subject.text,
      cause,
    })
  }
}

function unusable(message: string, expected?: string, found?: string): StampingError {
  return new StampingError('STAMPING_CHAIN', message, { expected, found })
}
