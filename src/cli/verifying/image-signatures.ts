/** What `verify` does with images once the registry has been asked for their signatures. @module */
import { decodeHex } from '#encoding/hex'
import { parseDigest } from '#formats/oci/digest'
import { verifyImageClaims } from '#verify/image/image-claims'
import type { Verification } from '#verify/verification'
import { type DigestedImage, readAnnotations } from '../images.js'
import type { Host } from '../kit/host.js'
import type { VerifiableImage } from '../verifiable.js'
import { noSignature } from './conclude.js'
import { type DetachedFlags, loadDetachedSignature } from './detached-signature.js'
import { certificateLines, type OptionalClaims, signatureDocument, signedText } from './image-output.js'
import { type Accepted, judgeImage } from './image-verification.js'
import { prepareJudge, type VerifyFlags } from './judge.js'
import { performedChecks } from './performed-checks.js'

export interface SignatureFlags extends VerifyFlags, DetachedFlags {
  readonly annotations: readonly string[]
  readonly 'check-claims': boolean
  readonly explain: boolean
  readonly output: 'json' | 'text'
}

export interface Verifying<Flags> {
  readonly flags: Flags
  /** Names of the flags that were set. */
  readonly changed: ReadonlySet<string>
  readonly host: Host
  readonly signal: AbortSignal
}

/**
 * Verifies that each image has an acceptable signature, and prints those that are.
 * @throws VerdictError for the first image that has none
 */
export async function verifySignatures(
  { flags, changed, host, signal }: Verifying<SignatureFlags>,
  named: Promise<readonly VerifiableImage[]>,
): Promise<void> {
  const annotations = readAnnotations(flags.annotations)
  // The key file is read while the registry answers.
  const judge = await prepareJudge(host, flags, signal)
  const detached = await loadDetachedSignature(host, flags, signal)
  setImmediate(judge.preload) // while the registry answers
  for (const { images, image, located } of await named) {
    const judged = await judgeImage({
      host,
      found: detached?.(image),
      images,
      image,
      located,
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
}

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
