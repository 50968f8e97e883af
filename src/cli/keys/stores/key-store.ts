/** Where a key pair can be kept other than in files: what each such place does. @module */
import type { Host } from '../../kit/host.js'

export interface StoredKeyPair {
  /** The private key, encrypted under the password: a key file of cosign's, as text. */
  readonly sealed: Uint8Array
  /** PEM. */
  readonly publicKey: Uint8Array
  readonly password: Uint8Array
}

export type KeyPart = keyof StoredKeyPair

export interface KeyStore {
  /** Where it is, for messages: `the secret team-a/release`. */
  readonly place: string
  /** Whether there is anything that writing would replace. */
  holds(): Promise<boolean>
  /** @throws CliError `CLI_INPUT` for a part that is not there, `CLI_UNSUPPORTED` where nothing can be read again */
  read(part: KeyPart): Promise<Uint8Array>
  /**
   * Stores all of it, or leaves what was there.
   * @returns what was done, a line each
   * @throws CliError `CLI_KEY_EXISTS` for a key pair that cannot be replaced
   */
  write(pair: StoredKeyPair): Promise<readonly string[]>
}

/** Opens what is behind `scheme://reference`. */
export type OpenKeyStore = (host: Host, reference: string, signal: AbortSignal) => Promise<KeyStore>
