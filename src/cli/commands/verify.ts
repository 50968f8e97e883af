/** `countersign verify`. @module */
import { decodeHex } from '#encoding/hex'
import { parseDigest } from '#formats/oci/digest'
import type { Verification } from '#verify/verification'
import { verifyImageClaims } from '#verify/image/image-claims'
import { registryFlags } from '../flags/registry.js'
import { explainFlag, identityFlags, outputFlag, publicKeyFlags, trustFlags } from '../flags/verifying.js'
import { type DigestedImage, readAnnotations } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import type { Host } from '../kit/host.js'
import { openVerifiable } from '../local-image.js'
import { prepareJudge } from '../verifying/judge.js'
import { noSignature } from '../verifying/conclude.js'
import { loadDetachedSignature } from '../verifying/detached-signature.js'
import { certificateLines, type OptionalClaims, signatureDocument, signedText } from '../verifying/image-output.js'
import { type Accepted, judgeImage } from '../verifying/image-verification.js'
import { performedChecks } from '../verifying/performed-checks.js'

export const command: Command = defineCommand({
  name: 'verify',
  summary: 'Verify signatures on container images',
  description:
    'Looks at bundles and at signatures in the old format; one acceptable signature is enough. What was verified is printed as JSON to standard output, which checks were made to standard error. Exit codes: 10 no signature, 11 no such tag, 12 no signature matches, 13 no certificate.',
  args: { usage: 'IMAGE...', min: 1, max: Infinity },
  flags: {
    annotations: { kind: 'list', short: 'a', placeholder: 'K=V', help: 'require this annotation' },
    'check-claims': { kind: 'boolean', default: true, help: 'whether the signed payload must be about the image' },
    'local-image': { kind: 'boolean', help: 'the image is a folder that save wrote' },
    ...outputFlag,
    ...explainFlag,
    ...publicKeyFlags,
    ...identityFlags,
    ...trustFlags,
    ...registryFlags,
    attachment: {
      kind: 'string',
      choices: ['sbom'],
      help: 'verify what is attached to the image instead',
      deprecated: 'please use OCI referrers for attachments and verify with `--experimental-oci11`',
    },
    signature: {
      kind: 'path',
      help: 'a detached signature',
      deprecated: 'signatures are automatically fetched from the OCI registry during image verification',
    },
    payload: {
      kind: 'path',
      help: 'the payload of a detached signature',
      deprecated: 'payload will always be verified from the bundle in future versions',
    },
  },
  examples: [
    {
      does: 'an image signed by a person',
      run: 'verify --certificate-identity ann@example.com --certificate-oidc-issuer https://accounts.google.com registry.example.com/app:1.2',
    },
    {
      does: 'an image signed by a workflow, of one repository only',
      run: 'verify --certificate-identity https://github.com/o/r/.github/workflows/ci.yml@refs/heads/main --certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-extension source-repository-uri=https://github.com/o/r IMAGE',
    },
    {
      does: 'an image signed with a key, with every check shown',
      run: 'verify --key cosign.pub --explain registry.example.com/app:1.2',
    },
  ],

  async run({ args, flags, changed, host, signal, verbose }) {
    const annotations = readAnnotations(flags.annotations)
    // The key file is read while the registry answers.
    const [judge, named, detached] = await Promise.all([
      prepareJudge(host, flags, signal),
      openVerifiable(host, flags, { names: args, verbose }),
      loadDetachedSignature(host, flags, signal),
    ])
    setImmediate(judge.preload) // while the registry answers
    for (const { images, image } of named) {
      const judged = await judgeImage({
        host,
        found: detached?.(image),
        images,
        image,
        kind: 'signature',
        judge,
        explain: flags.explain,
        claims: (verification) => claimsOf(verification, image),
      })
      if (judged.accepted.length === 0) throw noSignature(judged, image.name)
      const verifications = judged.accepted.map(({ verification }) => verification)
      host.terminal.note(
        performedChecks({
          name: image.name,
          verifications,
          annotations: annotations.size > 0,
          claims: flags['check-claims'],
        }),
      )
      const full = flags.output === 'json' && changed.has('output')
      print(host, judged.accepted, { image, text: flags.output === 'text', full })
    }
    return undefined

    /** A bundle must state that it is an image signature in any case; only what an old payload says may be left unread. */
    function claimsOf(verification: Verification, { descriptor }: DigestedImage): OptionalClaims {
      const { content } = verification
      const payloadSigned = content.kind === 'message-signature' && content.bytes !== undefined
      if (!flags['check-claims'] && payloadSigned) return undefined
      const { algorithm, hex } = parseDigest(descriptor.digest)
      return verifyImageClaims(verification, {
        digest: { algorithm, value: decodeHex(hex) },
        annotations: flags['check-claims'] ? annotations : new Map(),
      })
    }
  },
})

interface Printing {
  readonly image: DigestedImage
  readonly text: boolean
  readonly full: boolean
}

function print(host: Host, accepted: readonly Accepted<OptionalClaims>[], { image, text, full }: Printing): void {
  const ask = { name: image.name, digest: image.descriptor.digest, full }
  if (!text) {
    host.terminal.write(`\n${JSON.stringify(accepted.map((each) => signatureDocument(each, ask)))}\n`)
    return
  }
  for (const each of accepted) {
    for (const line of certificateLines(each.verification)) host.terminal.note(line)
    host.terminal.write(`${signedText(each, ask)}\n`)
  }
}
