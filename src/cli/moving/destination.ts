/** What an image is to be called where it is written. @module */
import type { Descriptor } from '#formats/oci/descriptor'
import type { Reference } from '#formats/oci/reference'
import { CliError } from '../kit/errors.js'

/**
 * A digest in the name has to be the image's.
 * @throws {@link CliError} `CLI_INPUT`
 */
export function checkDigest(name: Reference, { digest }: Descriptor): void {
  if (name.kind === 'tag' || name.digest === digest) return
  throw new CliError('CLI_INPUT', 'the image has another digest than the name that it is to have', {
    expected: digest,
    found: name.digest,
    hint: 'give a tag, or the digest of the image',
  })
}
