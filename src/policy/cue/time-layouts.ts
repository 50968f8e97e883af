/** Go's time layouts, as far as CUE policies use them. @module */
import { CodedError } from '#errors'
import { formatRfc3339, parseRfc3339 } from '#time'

export type CueTimeErrorCode =
  /** A CUE policy gives a text as a time that is none, or a layout that is not supported. */
  'CUE_TIME'

/** A text is not a time of the given layout. */
export class CueTimeError extends CodedError<CueTimeErrorCode> {
  override readonly name = 'CueTimeError'
}

/** The layouts that the package time names. */
export const RFC3339_LAYOUTS: readonly (readonly [name: string, layout: string])[] = [
  ['RFC3339', '2006-01-02T15:04:05Z07:00'],
  ['RFC3339Nano', '2006-01-02T15:04:05.999999999Z07:00'],
  ['RFC3339Date', '2006-01-02'],
]

/**
 * time.Parse: the time of a text in a layout, written as RFC 3339 in UTC.
 * @throws {@link CueTimeError} if the text is no such time
 */
export function parseGoTime(layout: string, text: string): string {
  const known = RFC3339_LAYOUTS.some(([, candidate]) => candidate === layout)
  if (!known)
    throw new CueTimeError('CUE_TIME', 'a time layout that is not supported', { expected: 'RFC 3339', found: layout })
  const whole = layout === '2006-01-02' ? `${text}T00:00:00Z` : text
  try {
    return withFraction(whole, formatRfc3339(Math.floor(parseRfc3339(whole) / 1000) * 1000))
  } catch (cause) {
    throw new CueTimeError('CUE_TIME', 'a text is not a time', { expected: layout, found: text.slice(0, 40), cause })
  }
}

/** Fractions of a second keep all their digits but trailing zeros, as Go writes them. */
function withFraction(text: string, seconds: string): string {
  const fraction = /\.(\d+)/.exec(text)?.[1]?.replace(/0+$/, '') ?? ''
  return fraction === '' ? seconds : `${seconds.slice(0, -1)}.${fraction}Z`
}
