/** One attestation: whether a pinned signer made it about this image, and what it says. @module */
import { isCodedError, type CodedError } from '#errors'
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import type { Statement } from '#formats/in-toto/statement'
import { isVexPredicateType, readVexPredicate } from '#formats/openvex/document'
import { isSbomPredicateType, readSbomPredicate } from '#formats/sbom/predicate'
import { SbomError } from '#formats/sbom/sbom-error'
import type { SignedEntity } from '#formats/signed-entity'
import type { Artifact } from '#verify/artifact'
import type { Verification } from '#verify/verification'
import { storedComponents, type StoredAttestation } from '../cache/entry.js'
import { signerOf, type TrustedSigners, type TrustPorts } from '../trust.js'
import { ExamineError } from './examine-error.js'

/** Where people put what has no type of its own, and cosign's first releases put everything. */
const CUSTOM = predicateTypeUri('custom')

/** Whether an attestation of this type is worth looking at. */
export function isInterestingType(type: string): boolean {
  return isSbomPredicateType(type) || isVexPredicateType(type) || type === CUSTOM
}

export interface JudgedAttestation {
  /** Absent if it is verified and about something else. */
  readonly accepted: StoredAttestation | undefined
  /** A pinned signer's bill of materials that cannot be read: nothing can be ruled out. */
  readonly unreadable: CodedError | undefined
}

interface Attested {
  readonly verification: Verification
  readonly statement: Statement
}

/**
 * Verifies an attestation and reads what it says.
 * @param isVex whether an unsigned annotation says that it is OpenVEX; only decides which refusal is told
 * @throws coded errors for what nobody who is trusted for it signed, or what is about another image
 */
export async function judgeAttestation(
  trust: TrustPorts,
  { entity, artifact, isVex }: { readonly entity: SignedEntity; readonly artifact: Artifact; readonly isVex: boolean },
): Promise<JudgedAttestation> {
  const asSbom = await attest(trust.sboms, entity, artifact)
  if (!isCodedError(asSbom) && !isVexPredicateType(asSbom.statement.predicateType)) return readSbom(asSbom)
  // Whoever is trusted for bills of materials is not for that reason trusted to excuse what is in them, nor the other way.
  if (trust.vex === undefined) throw isVex || !isCodedError(asSbom) ? untrustedVex() : asSbom
  const asVex = await attest(trust.vex, entity, artifact)
  if (!isCodedError(asVex) && isVexPredicateType(asVex.statement.predicateType)) return readVex(asVex)
  if (isCodedError(asVex) && (isVex || !isCodedError(asSbom))) throw asVex
  throw isCodedError(asSbom) ? asSbom : untrustedVex()
}

async function attest(
  signers: TrustedSigners,
  entity: SignedEntity,
  artifact: Artifact,
): Promise<Attested | CodedError> {
  try {
    const verification = await signers.verify(entity, artifact)
    if (verification.content.kind === 'statement') return { verification, statement: verification.content.statement }
    return new ExamineError('EXAMINE_NOT_STATEMENT', 'this is a signature, not an attestation')
  } catch (error) {
    if (isCodedError(error)) return error
    throw error
  }
}

function readSbom({ verification, statement: { predicate, predicateType } }: Attested): JudgedAttestation {
  if (!isSbomPredicateType(predicateType) && predicateType !== CUSTOM)
    return { accepted: undefined, unreadable: undefined }
  try {
    const { components, ...sbom } = readSbomPredicate(predicate)
    const accepted = {
      kind: 'sbom',
      ...witness(verification),
      ...sbom,
      count: components.length,
      components: storedComponents(components),
    } as const
    return { accepted, unreadable: undefined }
  } catch (error) {
    if (!(error instanceof SbomError)) throw error
    // What is custom may be anything.
    const isNone = predicateType === CUSTOM && error.code === 'SBOM_FORMAT'
    return { accepted: undefined, unreadable: isNone ? undefined : error }
  }
}

/** @throws VexError for a document that cannot be read */
function readVex({ verification, statement: { predicate = null } }: Attested): JudgedAttestation {
  const { id, statements } = readVexPredicate(predicate)
  const accepted = { kind: 'vex', ...witness(verification), id, statements: statements.length, predicate } as const
  return { accepted, unreadable: undefined }
}

/** The earliest time at which somebody saw the signature: it cannot have been made later. */
function witness(verification: Verification): Pick<StoredAttestation, 'signer' | 'signedAt'> {
  const times = verification.times.filter(({ source }) => source.kind !== 'current-time').map(({ at }) => at)
  return { signer: signerOf(verification), signedAt: times.length === 0 ? undefined : Math.min(...times) }
}

function untrustedVex(): ExamineError {
  return new ExamineError('EXAMINE_VEX_UNTRUSTED', 'nobody is named whose OpenVEX statements count', {
    hint: 'name them with --vex-certificate-identity and --vex-certificate-oidc-issuer, or --vex-key',
  })
}
