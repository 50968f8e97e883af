/** The gate's own certificates: an authority that signs nothing but the leaf that it shows to the API server. @module */
import { generatePrivateKey } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import { encodePem } from '#encoding/pem'
import { buildCertificate, randomSerialNumber } from '#formats/x509/build-certificate'
import type { Certificate } from '#formats/x509/certificate'
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  extendedKeyUsageExtension,
  keyIdentifier,
  keyUsageExtension,
  subjectAltNameExtension,
  subjectKeyIdExtension,
} from '#formats/x509/extension-writers'
import type { GeneralName } from '#formats/x509/general-name'
import { encodeName } from '#formats/x509/name'
import { EKU } from '#formats/x509/oids'
import { parseCertificate } from '#formats/x509/parse-certificate'
import type { UnixMillis } from '#time'
import type { TlsIdentity } from '#serving/serve'

/** A certificate with its key. */
export interface CertifiedKey {
  readonly certificate: Certificate
  readonly key: PrivateKey
}

export interface IssueOptions {
  readonly now: UnixMillis
  readonly random: RandomSource
}

const DAY = 86_400_000
/** Long enough that a gate that is down for a holiday comes up again, short enough that rotation is practised. */
export const AUTHORITY_LIFE: number = 365 * DAY
export const LEAF_LIFE: number = 90 * DAY
/** For API servers whose clock is a little behind. */
const BACKDATE = 5 * 60_000
const ORGANIZATION = 'countersign'

/** A new authority. Its name has its number in it, so that two of them in one bundle are told apart. */
export async function createAuthority({ now, random }: IssueOptions): Promise<CertifiedKey> {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const serialNumber = randomSerialNumber(random)
  const name = encodeName({ organization: ORGANIZATION, commonName: `admission ${hexEnd(serialNumber)}` })
  const { spki } = key.publicKey
  const fields = {
    serialNumber,
    issuer: name,
    subject: name,
    notBefore: now - BACKDATE,
    notAfter: now + AUTHORITY_LIFE,
    spki,
    extensions: [
      keyUsageExtension(['keyCertSign', 'cRLSign']),
      basicConstraintsExtension({ ca: true, pathLength: 0 }),
      subjectKeyIdExtension(keyIdentifier(spki)),
    ],
  }
  return { certificate: parseCertificate(await buildCertificate(fields, key)), key }
}

/** A leaf for a TLS server under these names. */
export async function issueLeaf(
  authority: CertifiedKey,
  names: readonly GeneralName[],
  { now, random }: IssueOptions,
): Promise<CertifiedKey> {
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const { spki } = key.publicKey
  const fields = {
    serialNumber: randomSerialNumber(random),
    issuer: authority.certificate.subject,
    subject: encodeName({ organization: ORGANIZATION, commonName: 'admission' }),
    notBefore: now - BACKDATE,
    // A leaf that outlives its authority would only look valid.
    notAfter: Math.min(now + LEAF_LIFE, authority.certificate.notAfter),
    spki,
    extensions: [
      keyUsageExtension(['digitalSignature']),
      extendedKeyUsageExtension([EKU.serverAuth]),
      basicConstraintsExtension({ ca: false, pathLength: undefined }),
      subjectKeyIdExtension(keyIdentifier(spki)),
      authorityKeyIdExtension(keyIdentifier(authority.key.publicKey.spki)),
      subjectAltNameExtension(names, { critical: false }),
    ],
  }
  return { certificate: parseCertificate(await buildCertificate(fields, authority.key)), key }
}

/** What a TLS server takes. */
export function tlsIdentity({ certificate, key }: CertifiedKey): TlsIdentity {
  return { certificates: certificatePem(certificate), key: encodePem('PRIVATE KEY', key.exportPkcs8()) }
}

export function certificatePem({ der }: Certificate): string {
  return encodePem('CERTIFICATE', der)
}

function hexEnd(bytes: Uint8Array): string {
  return encodeHex(bytes.slice(-4))
}
