/** Texts of others, made safe for a terminal. @module */

/**
 * Replaces control characters, which could move the cursor, hide what stands there or answer for the user. Line ends and
 * tabs stay.
 */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd')
}
