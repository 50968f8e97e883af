/** The gate's own certificates: an authority that signs one leaf, and whose key is thrown away when it has. @module */
import { generatePrivateKey } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import { encodePem } from '#encoding/pem'
import { buildCertificate, randomSerialNumber } from '#formats/x509/build-certificate'
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
import type { Name } from '#formats/x509/name'
import { EKU } from '#formats/x509/oids'
import type { UnixMillis } from '#time'

/** A certificate that a TLS server can show, and what makes a client believe it. All PEM. */
export interface ServingCertificate {
  readonly authority: string
  readonly certificate: string
  /** A secret. */
  readonly key: string
}

export interface IssueOptions {
  /** What the server is called. */
  readonly names: readonly GeneralName[]
  readonly now: UnixMillis
  readonly random: RandomSource
}

const DAY = 86_400_000
/** Long enough that a gate that is down over a holiday comes up again, short enough that rotation is practised. */
const LIFE = 90 * DAY
/** For API servers whose clock is a little behind. */
const BACKDATE = 5 * 60_000
const ORGANIZATION = 'countersign'

/**
 * A leaf under an authority of its own. Nobody can have another leaf of this authority: its key was never anywhere but here. Its name
 * has a number in it, so that two of them in one bundle are told apart.
 */
export async function issueServingCertificate({ names, now, random }: IssueOptions): Promise<ServingCertificate> {
  const authorityKey = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const serialNumber = randomSerialNumber(random)
  const authorityName = encodeName({ organization: ORGANIZATION, commonName: `admission ${hexEnd(serialNumber)}` })
  const authority = await issue(authorityKey, {
    ...{ subject: authorityName, issuer: authorityName, key: authorityKey, serialNumber, now },
    extensions: [keyUsageExtension(['keyCertSign', 'cRLSign']), basicConstraintsExtension({ ca: true, pathLength: 0 })],
  })
  const key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
  const leaf = await issue(authorityKey, {
    ...{ issuer: authorityName, key, serialNumber: randomSerialNumber(random), now },
    subject: encodeName({ organization: ORGANIZATION, commonName: 'admission' }),
    extensions: [
      keyUsageExtension(['digitalSignature']),
      extendedKeyUsageExtension([EKU.serverAuth]),
      basicConstraintsExtension({ ca: false, pathLength: undefined }),
      authorityKeyIdExtension(keyIdentifier(authorityKey.publicKey.spki)),
      subjectAltNameExtension(names, { critical: false }),
    ],
  })
  return {
    authority: encodePem('CERTIFICATE', authority),
    certificate: encodePem('CERTIFICATE', leaf),
    key: encodePem('PRIVATE KEY', key.exportPkcs8()),
  }
}

interface Issued {
  readonly subject: Name
  readonly issuer: Name
  readonly key: PrivateKey
  readonly serialNumber: Uint8Array
  readonly now: UnixMillis
  readonly extensions: readonly Uint8Array[]
}

function issue(
  signer: PrivateKey,
  { subject, issuer, key, serialNumber, now, extensions }: Issued,
): Promise<Uint8Array> {
  const { spki } = key.publicKey
  const fields = {
    ...{ serialNumber, issuer, subject, spki, notBefore: now - BACKDATE, notAfter: now + LIFE },
    extensions: [...extensions, subjectKeyIdExtension(keyIdentifier(spki))],
  }
  return buildCertificate(fields, signer)
}

function hexEnd(bytes: Uint8Array): string {
  return encodeHex(bytes.slice(-4))
}
