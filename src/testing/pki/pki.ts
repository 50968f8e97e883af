/** A whole Sigstore's worth of trust for tests: authorities, logs, and the trusted root that names them. @module */
import type { AlgorithmName } from '#crypto/algorithms'
import type { TrustedAuthority, TrustedRoot } from '#formats/trusted-root/trusted-root'
import type { CertificateSpec, TestCertificate } from './certificate.js'
import { TEST_TIME, intermediateSpec, issueCertificate, leafSpec, rootSpec } from './certificate.js'
import type { EmbeddedSct, TestCtLog } from './ct-log.js'
import { createTestCtLog, issueLoggedCertificate } from './ct-log.js'
import type { TestRekor, TestRekorOptions } from './rekor.js'
import { createTestRekor } from './rekor.js'
import type { TestTsa, TestTsaOptions } from './tsa.js'
import { createTestTsa } from './tsa.js'

export interface TestPkiOptions {
  readonly root?: CertificateSpec
  readonly intermediate?: CertificateSpec
  readonly ctLogAlgorithm?: AlgorithmName
  readonly tsa?: TestTsaOptions
  readonly rekorV1?: Partial<TestRekorOptions>
  readonly rekorV2?: Partial<TestRekorOptions>
}

export interface TestPki {
  readonly root: TestCertificate
  readonly intermediate: TestCertificate
  readonly ctLog: TestCtLog
  readonly tsa: TestTsa
  readonly rekorV1: TestRekor
  readonly rekorV2: TestRekor
  readonly trusted: TrustedRoot
  /** A leaf by the intermediate, logged in the CT log unless other SCTs are asked for. `[]`: none. */
  issueLeaf(spec?: CertificateSpec, scts?: readonly EmbeddedSct[]): Promise<TestCertificate>
}

export async function createTestPki(options: TestPkiOptions = {}): Promise<TestPki> {
  const root = await issueCertificate(rootSpec(options.root))
  const intermediate = await issueCertificate(intermediateSpec(options.intermediate), root)
  const ctLog = await createTestCtLog(options.ctLogAlgorithm)
  const tsa = await createTestTsa(options.tsa)
  const rekorV1 = await createTestRekor({ version: 1, ...options.rekorV1 })
  const rekorV2 = await createTestRekor({ version: 2, ...options.rekorV2 })
  const authority: TrustedAuthority = {
    uri: 'https://fulcio.test.example',
    subject: undefined,
    chain: [intermediate.certificate, root.certificate],
    validFor: { start: TEST_TIME - 365 * 86_400_000 },
  }
  return {
    root,
    intermediate,
    ctLog,
    tsa,
    rekorV1,
    rekorV2,
    trusted: {
      certificateAuthorities: [authority],
      timestampAuthorities: [tsa.trusted],
      tlogs: [rekorV1.trusted, rekorV2.trusted],
      ctlogs: [ctLog.trusted],
    },
    issueLeaf: (spec = {}, scts = [{ log: ctLog }]) => issueLoggedCertificate(leafSpec(spec), intermediate, scts),
  }
}
