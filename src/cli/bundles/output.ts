/** What `bundle create` and `bundle upgrade` have in common at either end. @module */
import type { Host } from '../kit/host.js'

/** The public log, as in cosign: the commands are about material that it has. */
export const REKOR_URL_FLAG = {
  kind: 'url',
  default: 'https://rekor.sigstore.dev',
  help: 'the transparency log that has the entry',
} as const

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
