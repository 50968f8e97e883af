/** A certificate transparency log for tests: it signs, and keeps nothing. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import type { PrivateKey } from '#crypto/private-key'
import { generatePrivateKey } from '#crypto/private-key'
import type { Certificate } from '#formats/x509/certificate'
import type { SctEntry } from '#formats/sct/sct-entry'
import { precertEntry } from '#formats/sct/sct-entry'
import { encodeSct, encodeSctList } from '#formats/sct/sct'
import { signSct } from '#formats/sct/verify-sct'
import type { TrustedLog } from '#formats/trusted-root/trusted-root'
import { sctListExtension } from '#formats/x509/extension-writers'
import type { UnixMillis } from '#time'
import type { CertificateSpec, TestCertificate } from './certificate.js'
import { TEST_TIME, issueCertificate } from './certificate.js'

export interface TestCtLog {
  readonly key: PrivateKey
  readonly trusted: TrustedLog
  /** An SCT in its TLS form. */
  sign(entry: SctEntry, options?: SctOptions): Promise<Uint8Array>
}

export interface SctOptions {
  readonly timestamp?: UnixMillis
  /** CtExtensions, for example `encodeLeafIndexExtension(7n)`. */
  readonly extensions?: Uint8Array
  /** Turns the finished SCT into a wrong one. */
  readonly corrupt?: (sct: Uint8Array) => Uint8Array
}

export async function createTestCtLog(algorithm: AlgorithmName = 'ecdsa-sha2-256-nistp256'): Promise<TestCtLog> {
  const key = await generatePrivateKey(algorithm)
  return {
    key,
    trusted: {
      baseUrl: 'https://ct.test.example',
      hashAlgorithm: 'sha256',
      key: key.publicKey,
      algorithm: key.algorithm,
      validFor: { start: TEST_TIME - 365 * 86_400_000 },
      logId: key.publicKey.id,
    },
    async sign(entry, options = {}) {
      const { timestamp = TEST_TIME, extensions = new Uint8Array(0) } = options
      const sct = encodeSct(await signSct({ entry, timestamp, extensions }, key))
      return options.corrupt?.(sct) ?? sct
    },
  }
}

/** Who logs a certificate, and how. */
export interface EmbeddedSct extends SctOptions {
  readonly log: TestCtLog
  /** The issuer that the SCT names, if not the true one. */
  readonly issuer?: Certificate
}

/** A certificate with embedded SCTs, in Fulcio's order: the list is the last extension. No logs: no list. */
export async function issueLoggedCertificate(
  spec: CertificateSpec,
  issuer: TestCertificate,
  scts: readonly EmbeddedSct[],
): Promise<TestCertificate> {
  const plain = await issueCertificate(spec, issuer)
  if (scts.length === 0) return plain
  const list = await Promise.all(
    scts.map((sct) => sct.log.sign(precertEntry(plain.certificate, (sct.issuer ?? issuer.certificate).spki), sct)),
  )
  const fixed = { ...spec, key: plain.key, serialNumber: plain.certificate.serialNumber }
  const extraExtensions = [...(spec.extraExtensions ?? []), sctListExtension(encodeSctList(list))]
  return issueCertificate({ ...fixed, extraExtensions }, issuer)
}
