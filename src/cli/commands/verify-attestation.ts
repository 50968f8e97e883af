/** `countersign verify-attestation`. @module */
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import { registryFlags } from '../flags/registry.js'
import { predicateFlags } from '../flags/signing.js'
import { explainFlag, identityFlags, outputFlag, publicKeyFlags, trustFlags } from '../flags/verifying.js'
import { type Command, defineCommand } from '../kit/command.js'
import { nextTurn } from '../kit/next-turn.js'
import { openVerifiable } from '../verifiable.js'

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

  async run(invocation) {
    const { args: names, flags, host, verbose } = invocation
    const predicateType = predicateTypeUri(flags.type)
    const named = openVerifiable(host, flags, { names, verbose, wanted: { kind: 'attestation', predicateType } })
    await nextTurn() // then the question is on its way, and what judges the answer is loaded meanwhile
    const { verifyAttestations } = await import('../verifying/image-attestations.js')
    await verifyAttestations(invocation, named)
    return undefined
  },
})
