/** `Warning` headers: what an API server says beside its answer (RFC 7234 §5.5, code 299). @module */

/** Longest list of warnings that is read; a server cuts them at 4 KiB itself. */
const MAX_HEADER = 64 * 1024

/** The texts of all warnings of a response, which may stand in one header, separated by commas. */
export function parseWarnings(header: string | null): readonly string[] {
  if (header === null) return []
  const matches = header.slice(0, MAX_HEADER).matchAll(/\b\d{3} [^\s"]+ "((?:[^"\\]|\\.)*)"/g)
  return [...matches].map(([, text = '']) => text.replace(/\\(.)/g, '$1'))
}
