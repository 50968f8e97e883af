/** Certificates that others keep, cert-manager for one: files, read again when they change. @module */
import type { Timers } from '#clients/http/fetch'
import { Repetition } from '#clients/http/timers'
import type { TlsIdentity } from '#serving/serve'

export interface CertificateFileOptions {
  readonly certificate: string
  readonly key: string
  readonly read: (path: string) => Promise<string>
  readonly timers: Timers
  /** Told what is to be shown from now on; what it throws leaves the old one in use. */
  readonly onCertificate: (identity: TlsIdentity) => void
  readonly onTrouble: (error: unknown) => void
}

/** Mounted Secrets change within a minute of the Secret itself. */
const LOOK = 5_000

export class CertificateFiles {
  readonly #options: CertificateFileOptions
  #shown = ''
  readonly #looking: Repetition

  constructor(options: CertificateFileOptions) {
    this.#options = options
    this.#looking = new Repetition(
      options.timers,
      () => LOOK,
      () => this.look(),
    )
  }

  /** @throws what reading throws */
  async start(): Promise<TlsIdentity> {
    const identity = await this.#read()
    this.#shown = textOf(identity)
    this.#looking.start()
    return identity
  }

  /** Looks now. */
  async look(): Promise<void> {
    try {
      const identity = await this.#read()
      if (textOf(identity) === this.#shown) return
      this.#options.onCertificate(identity)
      this.#shown = textOf(identity)
    } catch (error) {
      // Of two files one is replaced before the other: the next look finds both.
      this.#options.onTrouble(error)
    }
  }

  close(): void {
    this.#looking.stop()
  }

  async #read(): Promise<TlsIdentity> {
    const { read, certificate, key } = this.#options
    const [certificates, keyText] = await Promise.all([read(certificate), read(key)])
    return { certificates, key: keyText }
  }
}

function textOf({ certificates, key }: TlsIdentity): string {
  return `${certificates}\n${key}`
}
