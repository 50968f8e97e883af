/** What `bundle create` and `bundle upgrade` have in common at either end. @module */
import type { Host } from '../kit/host.js'

/** Asked, as by cosign, where the index of an entry is all that it is told. */
export const PUBLIC_REKOR = 'https://rekor.sigstore.dev'

/** A finished bundle, to the file or as a line of standard output. */
export async function writeBundleText(host: Host, text: string | Uint8Array, path: string | undefined): Promise<void> {
  if (path === undefined) {
    host.terminal.write(text)
    host.terminal.write('\n')
    return
  }
  await host.files.write(path, text)
  host.terminal.note(`Wrote bundle to file ${path}`)
}
