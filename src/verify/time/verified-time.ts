/**
 * A time at which a trusted party saw the signature (client-spec §4.2).
 *
 * @module
 */
import type { TrustedAuthority, TrustedLog } from '#formats/trusted-root/trusted-root'
import type { UnixMillis } from '#time'

declare const verified: unique symbol

/** Who said when. */
export type TimeSource =
  | { readonly kind: 'timestamp-authority'; readonly authority: TrustedAuthority }
  | { readonly kind: 'transparency-log'; readonly log: TrustedLog }
  /** Nobody: the caller's clock, used because the caller asked for it by name. */
  | { readonly kind: 'current-time' }

/** A time with its source. Made only where a time-stamp or a log's promise has been verified, or the caller's clock was asked for. */
export interface VerifiedTime {
  readonly [verified]: true
  readonly at: UnixMillis
  readonly source: TimeSource
  /** The source in a message. */
  readonly description: string
}

/** Not exported from the layer's public modules: to be called only after verifying. */
export function witnessedTime(at: UnixMillis, source: TimeSource): VerifiedTime {
  return { at, source, description: DESCRIBE[source.kind](source as never) } as unknown as VerifiedTime
}

const DESCRIBE: { readonly [Kind in TimeSource['kind']]: (source: Extract<TimeSource, { kind: Kind }>) => string } = {
  'timestamp-authority': ({ authority }) =>
    `the timestamp authority ${authority.uri || (authority.subject?.commonName ?? 'without a name')}`,
  'transparency-log': ({ log }) => `the transparency log ${log.baseUrl}`,
  'current-time': () => 'the current time, as asked for',
}
