/** How much is taken on at once, in requests and in bytes: beyond it a request is refused, and the process lives. @module */
import { AdmissionError } from './admission-error.js'

export interface InFlightLimits {
  readonly requests: number
  /** Of bodies that are in memory. */
  readonly bytes: number
}

/** Each judged request may hold a megabyte of attestations for as long as a registry takes. */
export const DEFAULT_IN_FLIGHT: InFlightLimits = { requests: 512, bytes: 256 * 1024 * 1024 }

export class InFlight {
  readonly #limits: InFlightLimits
  #requests = 0
  #bytes = 0

  constructor(limits: InFlightLimits) {
    this.#limits = limits
  }

  get requests(): number {
    return this.#requests
  }

  /** @throws AdmissionError `ADMISSION_OVERLOADED` */
  async withRequest<T>(work: (body: BodyAllowance) => Promise<T>): Promise<T> {
    if (this.#requests >= this.#limits.requests) throw overloaded('requests', this.#limits.requests)
    this.#requests++
    let taken = 0
    const take = (bytes: number): void => {
      if (this.#bytes + bytes > this.#limits.bytes) throw overloaded('bytes', this.#limits.bytes)
      this.#bytes += bytes
      taken += bytes
    }
    try {
      return await work({ take })
    } finally {
      this.#requests--
      this.#bytes -= taken
    }
  }
}

/** Memory that a body may take while its request is being judged. */
export interface BodyAllowance {
  /** @throws AdmissionError `ADMISSION_OVERLOADED` */
  take(bytes: number): void
}

function overloaded(what: string, limit: number): AdmissionError {
  return new AdmissionError('ADMISSION_OVERLOADED', 'too many requests for admission are being judged; try again', {
    expected: `at most ${String(limit)} ${what} at once`,
    hint: 'run more replicas, or look at which registry is slow',
  })
}
