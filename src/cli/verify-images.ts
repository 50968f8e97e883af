/** What `verify` does, for every command that finds out by itself which images are meant. @module */
import { UsageError } from './kit/errors.js'
import { nextTurn } from './kit/next-turn.js'
import { inline } from './kit/printable.js'
import { openVerifiable, type VerifiableFlags } from './verifiable.js'
import type { SignatureFlags, Verifying } from './verifying/image-signatures.js'

export interface VerifyInvocation extends Verifying<SignatureFlags & VerifiableFlags> {
  readonly verbose: boolean
}

/**
 * Verifies signatures on each of the images, and prints what was verified.
 * @throws VerdictError for the first image that has no acceptable signature
 */
export async function verifyImages(invocation: VerifyInvocation, names: readonly string[]): Promise<void> {
  const { flags, host, verbose } = invocation
  const wanted = flags.signature === undefined ? ({ kind: 'signature' } as const) : undefined
  const named = openVerifiable(host, flags, { names, verbose, wanted })
  await nextTurn() // then the question is on its way, and what judges the answer is loaded meanwhile
  const { verifySignatures } = await import('./verifying/image-signatures.js')
  await verifySignatures(invocation, named)
}

/** The same for images that a file names, each once. @throws as {@link verifyImages}; {@link UsageError} */
export async function verifyExtracted(invocation: VerifyInvocation, names: readonly string[]): Promise<void> {
  if (invocation.flags['local-image']) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'what a file names are images in registries, not folders', {
      found: '--local-image',
      hint: 'a folder that save wrote is verified with verify --local-image',
    })
  }
  const distinct = [...new Set(names)]
  invocation.host.terminal.note(`Extracted image(s): ${distinct.map((name) => inline(name)).join(', ')}`)
  await verifyImages(invocation, distinct)
}
