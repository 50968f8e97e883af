/** A time-stamping authority for tests. @module */
import type { DigestName } from '#crypto/digest'
import { digest } from '#crypto/digest'
import { randomBytes } from '#crypto/random'
import { buildTimestampResponse, encodeTimestampRejection } from '#formats/cms/build-timestamp'
import type { MessageImprint } from '#formats/cms/timestamp'
import type { TrustedAuthority } from '#formats/trusted-root/trusted-root'
import { EKU } from '#formats/x509/oids'
import type { UnixMillis } from '#time'
import type { CertificateSpec, TestCertificate } from './certificate.js'
import { TEST_TIME, intermediateSpec, issueCertificate, rootSpec, tsaLeafSpec } from './certificate.js'

export interface TestTsaOptions {
  readonly root?: CertificateSpec
  readonly intermediate?: CertificateSpec
  readonly leaf?: CertificateSpec
}

export interface StampOptions {
  readonly time?: UnixMillis
  readonly imprint?: MessageImprint
  readonly imprintDigest?: DigestName
  readonly policy?: string
  readonly nonce?: Uint8Array
  /** `leaf`: the usual answer to certReq. */
  readonly embed?: 'none' | 'leaf' | 'chain'
  /** A TimeStampResp without token instead. */
  readonly rejection?: string
  /** Signs with this certificate and key instead of the TSA's own. */
  readonly signer?: TestCertificate
}

export interface TestTsa {
  readonly root: TestCertificate
  readonly intermediate: TestCertificate
  readonly leaf: TestCertificate
  readonly trusted: TrustedAuthority
  /** A DER TimeStampResp for some bytes (a signature). */
  stamp(data: Uint8Array, options?: StampOptions): Promise<Uint8Array>
}

const NAMES = { root: 'test tsa root', intermediate: 'test tsa intermediate' }

export async function createTestTsa(options: TestTsaOptions = {}): Promise<TestTsa> {
  const root = await issueCertificate(rootSpec({ subject: { commonName: NAMES.root }, ...options.root }))
  const intermediate = await issueCertificate(
    intermediateSpec({
      subject: { commonName: NAMES.intermediate },
      extendedKeyUsage: [EKU.timeStamping],
      ...options.intermediate,
    }),
    root,
  )
  const leaf = await issueCertificate(tsaLeafSpec(options.leaf), intermediate)
  const chain = [leaf.certificate, intermediate.certificate, root.certificate]
  return {
    root,
    intermediate,
    leaf,
    trusted: {
      uri: 'https://tsa.test.example/api/v1/timestamp',
      subject: undefined,
      chain,
      validFor: { start: TEST_TIME - 365 * 86_400_000 },
    },
    stamp: (data, stampOptions = {}) => stamp({ data, leaf, chain: chain.map(({ der }) => der) }, stampOptions),
  }
}

interface StampSubject {
  readonly data: Uint8Array
  readonly leaf: TestCertificate
  readonly chain: readonly Uint8Array[]
}

async function stamp({ data, leaf, chain }: StampSubject, options: StampOptions): Promise<Uint8Array> {
  if (options.rejection !== undefined) return encodeTimestampRejection(options.rejection, 'systemFailure')
  const { imprintDigest = 'sha256', embed = 'leaf', signer = leaf } = options
  return buildTimestampResponse(
    {
      policy: options.policy ?? '1.3.6.1.4.1.57264.2',
      imprint: options.imprint ?? { digest: imprintDigest, hash: digest(imprintDigest, data) },
      serialNumber: randomBytes(8),
      genTime: options.time ?? TEST_TIME,
      accuracySeconds: 1,
      nonce: options.nonce,
    },
    {
      ...signer,
      embed:
        embed === 'none'
          ? []
          : embed === 'leaf'
            ? [signer.certificate.der]
            : [signer.certificate.der, ...chain.slice(1)],
    },
  )
}
