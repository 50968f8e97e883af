/**
 * In-toto statements: what was signed is a statement, and the artifact is one of its subjects (client-spec §4.5).
 *
 * @module
 */
import { DIGEST_SIZES } from '#crypto/digest'
import type { DigestName } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { IN_TOTO_PAYLOAD_TYPE } from '#formats/dsse/envelope'
import type { DsseEnvelope } from '#formats/dsse/envelope'
import { parseStatement } from '#formats/in-toto/statement'
import type { Statement, Subject } from '#formats/in-toto/statement'
import type { ArtifactView } from '../artifact.js'
import { VerificationError } from '../errors.js'

/** SLSA provenance of a large release has hundreds of subjects. */
const MAX_SUBJECTS = 4096
const DIGEST_NAMES = Object.keys(DIGEST_SIZES) as readonly DigestName[]

/**
 * Reads the statement inside of an envelope whose signature is already verified.
 * @throws VerificationError `VERIFY_PAYLOAD_TYPE`, `VERIFY_LIMIT`; StatementError
 */
export function readStatement(envelope: DsseEnvelope): Statement {
  if (envelope.payloadType !== IN_TOTO_PAYLOAD_TYPE) {
    throw new VerificationError('VERIFY_PAYLOAD_TYPE', 'the envelope does not hold an in-toto statement', {
      expected: IN_TOTO_PAYLOAD_TYPE,
      found: envelope.payloadType.slice(0, 100),
    })
  }
  const statement = parseStatement(envelope.payload)
  if (statement.subjects.length > MAX_SUBJECTS) {
    throw new VerificationError('VERIFY_LIMIT', 'the statement has too many subjects', {
      expected: `at most ${String(MAX_SUBJECTS)}`,
      found: String(statement.subjects.length),
    })
  }
  return statement
}

/**
 * The subject that is the artifact.
 * @throws VerificationError `VERIFY_SUBJECT`
 */
export function findSubject(statement: Statement, artifact: ArtifactView): Subject {
  const subject = statement.subjects.find((each) => isArtifact(each, artifact))
  if (subject !== undefined) return subject
  const digests = DIGEST_NAMES.map((name) => [name, artifact.digest(name)] as const)
  throw new VerificationError('VERIFY_SUBJECT', 'the statement is not about this artifact', {
    expected: digests
      .flatMap(([name, value]) => (value === undefined ? [] : [`${name}:${encodeHex(value)}`]))
      .join(' or '),
    found: describeSubjects(statement.subjects),
    hint: 'the statement was made about something else: check which artifact is meant',
  })
}

/** At least one digest agrees, and none that can be compared contradicts: one weak match must not outweigh a strong mismatch. */
function isArtifact(subject: Subject, artifact: ArtifactView): boolean {
  let agrees = false
  for (const name of DIGEST_NAMES) {
    const stated = subject.digest.get(name)
    const actual = stated === undefined ? undefined : artifact.digest(name)
    if (stated === undefined || actual === undefined) continue
    if (stated.toLowerCase() !== encodeHex(actual)) return false
    agrees = true
  }
  return agrees
}

function describeSubjects(subjects: readonly Subject[]): string {
  if (subjects.length === 0) return 'no subjects'
  const shown = subjects
    .slice(0, 3)
    .map((subject) => [...subject.digest].map(([name, value]) => `${name}:${value}`).join(' '))
  const more = subjects.length > shown.length ? ` and ${String(subjects.length - shown.length)} more` : ''
  return `${shown.join(', ')}${more}`.slice(0, 600)
}
