/** What getting an identity touches outside itself. @module */
import type { RandomSource } from '#crypto/random'
import type { Clock } from '#time'
import type { Fetch, Timers } from '../http/fetch.js'
import type { Environment } from '../http/proxy.js'

/** Files of this machine. */
export interface IdentityFiles {
  /** The text of a file, or undefined if it is not there. */
  readonly read: (path: string) => Promise<string | undefined>
  readonly exists: (path: string) => Promise<boolean>
}

/** One gRPC call without streams over a unix socket; resolves with the answer's message. */
export type UnaryCall = (call: {
  readonly socket: string
  /** `/Service/Method` */
  readonly path: string
  readonly message: Uint8Array
  readonly metadata: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
}) => Promise<Uint8Array>

/** Where tokens are found without asking anybody. */
export interface AmbientPorts {
  readonly fetch: Fetch
  readonly env: Environment
  readonly files: IdentityFiles
  readonly call: UnaryCall
}

/** A one-time HTTP listener on loopback that waits for a browser to come back. */
export interface CallbackListener {
  /** The address to send the browser back to. */
  readonly redirectUrl: string
  /** The query of the request to the redirect address, once it comes. */
  readonly query: Promise<URLSearchParams>
  close(): void
}

/** Opens a listener at `redirectUrl`, whose port may be 0 for any. */
export type OpenListener = (redirectUrl: string) => Promise<CallbackListener>

/** The person at the terminal. */
export interface LoginDialogue {
  /** Shows the address, and opens it if that can be done. */
  readonly browser: (url: string) => Promise<void>
  /** Shows a code to be entered at an address, and for how many seconds it is good. */
  readonly code: (show: {
    readonly url: string
    readonly completeUrl?: string
    readonly code: string
    readonly seconds: number
  }) => Promise<void>
}

/** What a login needs. */
export interface LoginPorts {
  readonly fetch: Fetch
  readonly timers: Timers
  readonly clock: Clock
  readonly random: RandomSource
  readonly dialogue: LoginDialogue
  readonly listen: OpenListener
}
