/** The password that encrypts the keys of a private Sigstore. @module */
import { encodeUtf8 } from '#encoding/utf8'
import type { Host } from '../kit/host.js'
import { asText } from '../read-input.js'

/** From the file, else from COUNTERSIGN_PASSWORD; undefined if there is neither, and the keys are then not encrypted. */
export async function readUpPassword(host: Host, file: string | undefined): Promise<Uint8Array | undefined> {
  if (file !== undefined)
    return encodeUtf8(asText(await host.files.read(file), 'the password file').replace(/\r?\n$/, ''))
  const variable = host.environment['COUNTERSIGN_PASSWORD'] ?? ''
  return variable === '' ? undefined : encodeUtf8(variable)
}
