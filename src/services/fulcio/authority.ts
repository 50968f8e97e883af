/** The certificate authority's own key and chain: made on the first start, and checked on every start. @module */
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
import { EKU } from '#formats/x509/oids'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { UnixMillis } from '#time'
import { FulcioConfigError } from './errors.js'

/** Who signs, and the certificates that lead to the root. */
export interface IssuingAuthority {
  readonly key: Signer
  /** The issuing certificate first, the root last; a root that issues itself stands alone. */
  readonly chain: readonly Certificate[]
}

export interface NewCertificateAuthority extends IssuingAuthority {
  /** Signs certificates from now on. */
  readonly key: PrivateKey
  /** Needed again only to replace the intermediate: keep it elsewhere, or throw it away. */
  readonly rootKey: PrivateKey
}

export interface NewCertificateAuthorityOptions {
  readonly organization: string
  readonly now: UnixMillis
  readonly random: RandomSource
  /** Of root and intermediate; P-256 by default, which costs a verifier a ninth of what P-384 does. */
  readonly algorithm?: AlgorithmName
}

const YEARS = 10
const YEAR = 365 * 86_400_000
/** So that a verifier whose clock is a little behind accepts the first certificates. */
const BACKDATE = 5 * 60_000

/** Makes keys and certificates of a root and an intermediate, valid for ten years. */
export async function createCertificateAuthority(
  options: NewCertificateAuthorityOptions,
): Promise<NewCertificateAuthority> {
  const algorithm = options.algorithm ?? 'ecdsa-sha2-256-nistp256'
  const [rootKey, key] = [await generatePrivateKey(algorithm), await generatePrivateKey(algorithm)]
  const root = { key: rootKey, commonName: 'root', extensions: authorityExtensions(1) }
  const intermediate = {
    key,
    commonName: 'intermediate',
    extensions: [...authorityExtensions(0), extendedKeyUsageExtension([EKU.codeSigning])],
  }
  const chain = await Promise.all([issue(intermediate, root, options), issue(root, root, options)])
  return { rootKey, key, chain }
}

interface Party {
  readonly key: PrivateKey
  readonly commonName: string
  readonly extensions: readonly Uint8Array[]
}

async function issue(subject: Party, issuer: Party, options: NewCertificateAuthorityOptions): Promise<Certificate> {
  const { organization, now, random } = options
  const { spki } = subject.key.publicKey
  const fields = {
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
  }
  return parseCertificate(await buildCertificate(fields, issuer.key))
}

function authorityExtensions(pathLength: number): readonly Uint8Array[] {
  return [keyUsageExtension(['keyCertSign', 'cRLSign']), basicConstraintsExtension({ ca: true, pathLength })]
}

/**
 * Checks that a key and a chain can issue code-signing certificates (fulcio's VerifyCertChain): in order, signed, authorities
 * all, the intermediates for code signing, every one valid now.
 * @throws FulcioConfigError FULCIO_CONFIG_CHAIN
 */
export async function checkAuthority({ key, chain }: IssuingAuthority, now: UnixMillis): Promise<void> {
  const [issuing] = chain
  if (issuing === undefined) throw unusable('the chain is empty')
  if (!equalBytes(issuing.spki, key.publicKey.spki)) throw unusable('the key is not that of the first certificate')
  for (const [index, certificate] of chain.entries()) {
    checkMember(certificate, { isRoot: index === chain.length - 1, now })
    await checkSigned(certificate, chain[index + 1] ?? certificate)
  }
}

function checkMember(
  certificate: Certificate,
  { isRoot, now }: { readonly isRoot: boolean; readonly now: UnixMillis },
): void {
  const name = certificate.subject.text
  if (certificate.basicConstraints?.ca !== true) throw unusable('a certificate of the chain is not an authority', name)
  if (certificate.keyUsage?.has('keyCertSign') === false)
    throw unusable('a certificate of the chain may not sign others', name)
  if (!isRoot && certificate.extendedKeyUsage?.includes(EKU.codeSigning) !== true) {
    throw unusable('an intermediate is not for code signing', name)
  }
  if (now < certificate.notBefore || now > certificate.notAfter)
    throw unusable('a certificate of the chain is not valid now', name)
}

async function checkSigned(certificate: Certificate, issuer: Certificate): Promise<void> {
  if (!equalBytes(certificate.issuer.der, issuer.subject.der))
    throw unusable('the chain is not in order', certificate.subject.text)
  try {
    await verifyCertificateSignature(certificate, certificateKey(issuer))
  } catch (cause) {
    throw new FulcioConfigError('FULCIO_CONFIG_CHAIN', 'a certificate of the chain is not signed by the next one', {
      found: certificate.subject.text,
      cause,
    })
  }
}

function unusable(message: string, found?: string): FulcioConfigError {
  return new FulcioConfigError('FULCIO_CONFIG_CHAIN', message, { found })
}
