/** RFC 3161 requests, responses and TSTInfo as read-only values. @module */
import type { DigestName } from '#crypto/digest'
import type { UnixMillis } from '#time'
import type { SignedData } from './signed-data.js'

export interface MessageImprint {
  readonly digest: DigestName
  readonly hash: Uint8Array
}

/** RFC 3161 §2.4.1. */
export interface TimestampRequest {
  readonly imprint: MessageImprint
  readonly policy: string | undefined
  /** Content octets of the INTEGER, as they stand. */
  readonly nonce: Uint8Array | undefined
  readonly certificates: boolean
  /** OIDs of the extensions asked for. */
  readonly extensions: readonly string[]
}

/** RFC 3161 §2.4.2, the signed statement. */
export interface TstInfo {
  readonly policy: string
  readonly imprint: MessageImprint
  readonly serialNumber: Uint8Array
  /** Milliseconds; finer digits are cut off. */
  readonly genTime: UnixMillis
  /** How far the true time may be from genTime on either side, in milliseconds (rounded up). */
  readonly accuracy: number | undefined
  readonly ordering: boolean
  readonly nonce: Uint8Array | undefined
  /** The TSA's directory name (Name, DER), where given. */
  readonly tsa: Uint8Array | undefined
}

export interface TimestampToken {
  /** The ContentInfo, DER. */
  readonly der: Uint8Array
  readonly signedData: SignedData
  readonly info: TstInfo
}

/** PKIStatus (RFC 3161 §2.4.2). */
export type PkiStatus =
  'granted' | 'grantedWithMods' | 'rejection' | 'waiting' | 'revocationWarning' | 'revocationNotification'

export interface TimestampResponse {
  readonly status: PkiStatus
  readonly statusText: string | undefined
  /** Names of the set PKIFailureInfo bits. */
  readonly failures: readonly string[]
  /** There exactly if the status is granted or grantedWithMods. */
  readonly token: TimestampToken | undefined
}
