/** What `verify-attestation` does with images once the registry has been asked for their attestations. @module */
import { envelopeToJson } from '#formats/dsse/envelope'
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import type { Statement } from '#formats/in-toto/statement'
import { verifyAttestationClaims } from '#verify/image/image-claims'
import type { VerifiableImage } from '../verifiable.js'
import { noAttestation } from './conclude.js'
import { verificationDocument } from './document.js'
import type { Verifying } from './image-signatures.js'
import { type Accepted, judgeImage } from './image-verification.js'
import { prepareJudge, type VerifyFlags } from './judge.js'
import { performedChecks } from './performed-checks.js'
import { loadStatementPolicies } from './statement-policies.js'

export interface AttestationFlags extends VerifyFlags {
  readonly type: string
  readonly policy: readonly string[]
  readonly 'check-claims': boolean
  readonly decode: boolean
  readonly explain: boolean
  readonly output: 'json' | 'text'
}

/**
 * Verifies that each image has an acceptable attestation, and prints those that are.
 * @throws VerdictError for the first image that has none
 */
export async function verifyAttestations(
  { flags, changed, host, signal }: Verifying<AttestationFlags>,
  named: Promise<readonly VerifiableImage[]>,
): Promise<void> {
  const policies = await loadStatementPolicies(host, flags.policy)
  const uri = predicateTypeUri(flags.type)
  const judge = await prepareJudge(host, flags, signal)
  setImmediate(judge.preload) // while the registry answers
  for (const { images, image, located } of await named) {
    const judged = await judgeImage({
      host,
      images,
      image,
      located,
      kind: 'attestation',
      predicateType: uri,
      judge,
      explain: flags.explain,
      anySubject: !flags['check-claims'],
      claims: (verification) => verifyAttestationClaims(verification, uri),
    })
    if (judged.accepted.length === 0) throw noAttestation(judged, flags)
    policies.judge(judged.accepted.map(payloadOf))
    const verifications = judged.accepted.map(({ verification }) => verification)
    host.terminal.note(
      performedChecks({ name: image.name, verifications, annotations: false, claims: flags['check-claims'] }),
    )
    const full = flags.output === 'json' && changed.has('output')
    for (const each of judged.accepted) host.terminal.write(`${line(each, { decode: flags.decode, full })}\n`)
  }
}

function payloadOf({ attachment: { entity } }: Accepted<Statement>): Uint8Array {
  return entity.content.kind === 'dsse' ? entity.content.envelope.payload : new Uint8Array()
}

function line(
  { attachment: { entity }, verification }: Accepted<Statement>,
  { decode, full }: { readonly decode: boolean; readonly full: boolean },
): string {
  if (entity.content.kind !== 'dsse') return ''
  const { envelope } = entity.content
  if (decode) return new TextDecoder().decode(envelope.payload)
  const { payloadType, payload, signatures } = envelopeToJson(envelope)
  return JSON.stringify({
    payloadType,
    payload,
    signatures,
    ...(full ? { verification: verificationDocument(verification) } : {}),
  })
}
