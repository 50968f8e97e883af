/**
 * What the verified signature is about: the artifact itself, or a statement with the artifact among its subjects.
 *
 * @module
 */
import { equalBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import type { MessageSignature, SignedContent } from '#formats/signed-entity'
import type { ArtifactView } from '../artifact.js'
import { VerificationError } from '../errors.js'
import type { ReportBuilder } from '../report.js'
import type { VerifiedContent } from '../verification.js'
import { findSubject, readStatement } from './statement.js'

/**
 * Requires what was signed to be the artifact.
 * @throws VerificationError `VERIFY_ARTIFACT_MISMATCH`, `VERIFY_PAYLOAD_TYPE`, `VERIFY_SUBJECT`; StatementError
 */
export function checkContent(content: SignedContent, artifact: ArtifactView, report: ReportBuilder): VerifiedContent {
  if (content.kind === 'message-signature') {
    checkStatedDigest(content, artifact)
    report.passed('artifact', 'the signature is over the artifact')
    return { kind: 'message-signature', ...(artifact.bytes !== undefined && { bytes: artifact.bytes }) }
  }
  const statement = readStatement(content.envelope)
  if (artifact.kind === 'unsafe-any-subject') {
    report.skipped('artifact', 'any subject is taken, as asked for')
    return { kind: 'statement', statement }
  }
  const subject = findSubject(statement, artifact)
  const index = statement.subjects.indexOf(subject)
  report.passed(
    'artifact',
    `it is subject ${String(index + 1)} of ${String(statement.subjects.length)} of a ${statement.predicateType} statement`,
  )
  return { kind: 'statement', statement, subject }
}

/** The stated digest is only a hint for finding the artifact, but one that is wrong was put there for somebody to believe. */
function checkStatedDigest(content: MessageSignature, artifact: ArtifactView): void {
  const { digest: stated, digestAlgorithm } = content
  if (stated === undefined || digestAlgorithm === undefined) return
  const actual = artifact.digest(digestAlgorithm)
  if (actual === undefined || equalBytes(stated, actual)) return
  throw new VerificationError(
    'VERIFY_ARTIFACT_MISMATCH',
    'the digest beside the signature is not that of the artifact',
    {
      expected: `${digestAlgorithm}:${encodeHex(actual)}`,
      found: `${digestAlgorithm}:${encodeHex(stated)}`,
    },
  )
}
