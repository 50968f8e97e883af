/** Files that may be Sigstore bundles or something else, and what is said once they are attached. @module */
import { parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import { isBundleJson } from '#formats/bundle/media-type'
import type { NamedImage } from '../images.js'
import type { Host } from '../kit/host.js'

/** Whether bytes are JSON that says it is a bundle; what is wrong with it is for the parser to say. */
export function isBundle(bytes: Uint8Array): boolean {
  try {
    return isBundleJson(parseJson(bytes))
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

/** Nobody was named who should have signed, so nothing of this is a verdict. */
export function tellAttached(host: Host, what: string, { name, descriptor }: NamedImage): void {
  host.terminal.note(
    `Attached ${what} to ${name}, ${descriptor.digest}. Nothing was verified: that is for verify to do.`,
  )
}
