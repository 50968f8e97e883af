/** Certificates for tests: right by default, wrong in exactly the way a test asks for. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import type { PrivateKey } from '#crypto/private-key'
import { generatePrivateKey } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { buildCertificate, randomSerialNumber } from '#formats/x509/build-certificate'
import type { BasicConstraints, Certificate, KeyUsageName } from '#formats/x509/certificate'
import {
  authorityKeyIdExtension,
  basicConstraintsExtension,
  extendedKeyUsageExtension,
  fulcioClaimExtensions,
  keyIdentifier,
  keyUsageExtension,
  nameConstraintsExtension,
  subjectAltNameExtension,
  subjectKeyIdExtension,
} from '#formats/x509/extension-writers'
import type { FulcioExtensions } from '#formats/x509/fulcio-extensions'
import type { GeneralName } from '#formats/x509/general-name'
import type { NameConstraints } from '#formats/x509/name-constraints'
import type { NameFields } from '#formats/x509/name'
import { encodeName } from '#formats/x509/name'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { EKU } from '#formats/x509/oids'
import type { UnixMillis } from '#time'

/** The time around which everything in the test PKI happens: 2025-06-01T12:00:00Z. */
export const TEST_TIME: UnixMillis = 1_748_779_200_000

const DAY = 86_400_000

/** What a certificate says. `null` leaves an extension out that would otherwise be there. */
export interface CertificateSpec {
  readonly subject?: NameFields
  /** Written as the issuer's name instead of the issuer's subject. */
  readonly issuerName?: NameFields
  readonly algorithm?: AlgorithmName
  /** Takes the place of a new key. */
  readonly key?: PrivateKey
  readonly notBefore?: UnixMillis
  readonly notAfter?: UnixMillis
  readonly serialNumber?: Uint8Array
  readonly basicConstraints?: BasicConstraints | null
  readonly keyUsage?: readonly KeyUsageName[] | null
  /** OIDs. */
  readonly extendedKeyUsage?: readonly string[] | null
  readonly extendedKeyUsageCritical?: boolean
  readonly subjectAltNames?: readonly GeneralName[] | null
  readonly nameConstraints?: NameConstraints
  readonly fulcio?: FulcioExtensions
  /** Whole Extensions, written after all others: see `encodeExtension` of formats/x509. */
  readonly extraExtensions?: readonly Uint8Array[]
}

/** A certificate with the key it is for. */
export interface TestCertificate {
  readonly certificate: Certificate
  readonly key: PrivateKey
}

/** A certificate by an issuer, or self-signed without one. Valid for a year around {@link TEST_TIME} unless the spec says otherwise. */
export async function issueCertificate(spec: CertificateSpec, issuer?: TestCertificate): Promise<TestCertificate> {
  const key = spec.key ?? (await generatePrivateKey(spec.algorithm ?? 'ecdsa-sha2-256-nistp256'))
  const subject = encodeName(spec.subject ?? {})
  const issuerName =
    spec.issuerName === undefined ? (issuer?.certificate.subject ?? subject) : encodeName(spec.issuerName)
  const der = await buildCertificate(
    {
      serialNumber: spec.serialNumber ?? randomSerialNumber(randomBytes),
      issuer: issuerName,
      subject,
      notBefore: spec.notBefore ?? TEST_TIME - 180 * DAY,
      notAfter: spec.notAfter ?? TEST_TIME + 180 * DAY,
      spki: key.publicKey.spki,
      extensions: extensions(spec, key, issuer),
    },
    issuer?.key ?? key,
  )
  return { certificate: parseCertificate(der), key }
}

/** A root: CA, may sign certificates. */
export function rootSpec(spec: CertificateSpec = {}): CertificateSpec {
  return {
    subject: { organization: 'test.example', commonName: 'test root' },
    algorithm: 'ecdsa-sha2-384-nistp384',
    basicConstraints: { ca: true, pathLength: 1 },
    keyUsage: ['keyCertSign', 'cRLSign'],
    ...spec,
  }
}

/** An intermediate for code signing, as Fulcio has it. */
export function intermediateSpec(spec: CertificateSpec = {}): CertificateSpec {
  return {
    subject: { organization: 'test.example', commonName: 'test intermediate' },
    basicConstraints: { ca: true, pathLength: 0 },
    keyUsage: ['keyCertSign', 'cRLSign'],
    extendedKeyUsage: [EKU.codeSigning],
    ...spec,
  }
}

/** A leaf of Fulcio's profile, without SCT: ten minutes, empty subject, an e-mail address. */
export function leafSpec(spec: CertificateSpec = {}): CertificateSpec {
  return {
    notBefore: TEST_TIME - 60_000,
    notAfter: TEST_TIME + 540_000,
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [EKU.codeSigning],
    subjectAltNames: [{ kind: 'email', value: 'alice@example.com' }],
    fulcio: { issuerV1: 'https://issuer.example.com', issuer: 'https://issuer.example.com' },
    ...spec,
  }
}

/** A leaf of a time-stamping authority. */
export function tsaLeafSpec(spec: CertificateSpec = {}): CertificateSpec {
  return {
    subject: { organization: 'test.example', commonName: 'test tsa' },
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: [EKU.timeStamping],
    extendedKeyUsageCritical: true,
    ...spec,
  }
}

/** In the order of Fulcio's profile. */
function extensions(
  spec: CertificateSpec,
  key: PrivateKey,
  issuer: TestCertificate | undefined,
): readonly Uint8Array[] {
  const { basicConstraints, keyUsage, extendedKeyUsage, nameConstraints, subjectAltNames } = spec
  const authorityKeyId = issuer?.certificate.subjectKeyId
  return [
    ...present(keyUsage, keyUsageExtension),
    ...present(extendedKeyUsage, (oids) =>
      extendedKeyUsageExtension(oids, { critical: spec.extendedKeyUsageCritical ?? false }),
    ),
    ...present(basicConstraints, basicConstraintsExtension),
    subjectKeyIdExtension(keyIdentifier(key.publicKey.spki)),
    ...present(authorityKeyId, authorityKeyIdExtension),
    ...present(nameConstraints, nameConstraintsExtension),
    ...present(subjectAltNames, (names) => subjectAltNameExtension(names, { critical: true })),
    ...fulcioClaimExtensions(spec.fulcio ?? {}),
    ...(spec.extraExtensions ?? []),
  ]
}

function present<T>(value: T | null | undefined, write: (value: T) => Uint8Array): readonly Uint8Array[] {
  return value === null || value === undefined ? [] : [write(value)]
}
