/** `countersign verify-attestation`. @module */
import { envelopeToJson } from '#formats/dsse/envelope'
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import type { Statement } from '#formats/in-toto/statement'
import { verifyAttestationClaims } from '#verify/image/image-claims'
import { registryFlags } from '../flags/registry.js'
import { predicateFlags } from '../flags/signing.js'
import { explainFlag, identityFlags, outputFlag, publicKeyFlags, trustFlags } from '../flags/verifying.js'
import { openVerifiable } from '../local-image.js'
import { type Command, defineCommand } from '../kit/command.js'
import { prepareJudge } from '../verifying/judge.js'
import { noAttestation } from '../verifying/conclude.js'
import { verificationDocument } from '../verifying/document.js'
import { type Accepted, judgeImage } from '../verifying/image-verification.js'
import { performedChecks } from '../verifying/performed-checks.js'
import { loadStatementPolicies } from '../verifying/statement-policies.js'

const { type } = predicateFlags

export const command: Command = defineCommand({
  name: 'verify-attestation',
  summary: 'Verify attestations about container images',
  description:
    'Prints one DSSE envelope a line for each attestation that was verified; its payload is the statement in base64.',
  args: { usage: 'IMAGE...', min: 1, max: Infinity },
  flags: {
    type: { ...type, help: `the predicate type that is asked for: ${type.help}` },
    policy: { kind: 'list', placeholder: 'FILE', help: 'CUE or Rego files that the statement must satisfy' },
    'check-claims': { kind: 'boolean', default: true, help: 'whether the attestation must be about the image' },
    'local-image': { kind: 'boolean', help: 'the image is a folder that save wrote' },
    decode: { kind: 'boolean', help: 'print the statements themselves instead of envelopes' },
    ...outputFlag,
    ...explainFlag,
    ...publicKeyFlags,
    ...identityFlags,
    ...trustFlags,
    ...registryFlags,
  },
  examples: [
    {
      does: 'count the components in an SBOM',
      run: "verify-attestation --type cyclonedx --key cosign.pub registry.example.com/app:1.2 | jq -r .payload | base64 -d | jq '.predicate.components | length'",
    },
    {
      does: 'provenance by a workflow, read without base64',
      run: 'verify-attestation --type slsaprovenance1 --decode --certificate-identity … --certificate-oidc-issuer … registry.example.com/app:1.2',
    },
  ],

  async run({ args, flags, changed, host, signal, verbose }) {
    const policies = await loadStatementPolicies(host, flags.policy)
    const uri = predicateTypeUri(flags.type)
    const [judge, named] = await Promise.all([
      prepareJudge(host, flags, signal),
      openVerifiable(host, flags, { names: args, verbose }),
    ])
    setImmediate(judge.preload) // while the registry answers
    for (const { images, image } of named) {
      const judged = await judgeImage({
        host,
        images,
        image,
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
    return undefined
  },
})

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
