/** Texts of others, made safe for a terminal. @module */

/**
 * Replaces control characters, which could move the cursor, hide what stands there or answer for the user. Line ends and
 * tabs stay.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}

/** A value of others within a line of ours: it must not begin a line of its own, which would read as if we had said it. */
export function inline(value: string): string {
  return printable(value).replace(/[\n\t\u0085\u2028\u2029]/g, '\ufffd')
}

/** A whole output, which may be bold in places: bold and its end are all that a terminal is told. */
export function forTerminal(output: string): string {
  return output
    .split(/(\u001b\[(?:1|22)m)/)
    .map((part, index) => (index % 2 === 0 ? printable(part) : part))
    .join('')
}
