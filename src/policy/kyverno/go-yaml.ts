/** Names and texts in YAML as Go's library writes them: which quotes, which order. @module */

/** A name of a map's member. */
export function yamlName(text: string): string {
  return oneLine(text)
}

/** A text as a member's value: of several lines as a block below `indent`. */
export function yamlValue(text: string, indent: string): string {
  if (!text.includes('\n')) return oneLine(text)
  if (/ $/.test(text) || / [\n\r\u0085\u2028\u2029]/.test(text) || hasUnprintable(text)) return doubleQuoted(text)
  const start = /^[ \n\r\u0085\u2028\u2029]/.test(text) ? '2' : ''
  const end = !/\n$/.test(text) ? '-' : /^\n$|\n\n$/.test(text) ? '+' : ''
  const body = text.replace(/\n$/, '')
  const lines = body.split('\n').map((line) => (line === '' ? '' : indent + line))
  return [`|${start}${end}`, ...lines].join('\n')
}

/** Orders names: letters after everything else, and the digits in them as numbers. */
export function compareNames(a: string, b: string): number {
  const [x, y] = [[...a], [...b]]
  const at = x.findIndex((character, index) => character !== y[index])
  const [left, right] = [x[at], y[at]]
  if (left === undefined || right === undefined) return x.length - y.length
  const [isWord, isOtherWord] = [/\p{L}/u.test(left), /\p{L}/u.test(right)]
  if (isWord !== isOtherWord) return isWord === isDigit(x[at - 1]) ? -1 : 1
  const [run, otherRun] = isWord ? ['', ''] : [digitsAround(x, at), digitsAround(y, at)]
  if (run !== '' && otherRun !== '' && Number(run) !== Number(otherRun)) return Number(run) - Number(otherRun)
  return run.length - otherRun.length || (left < right ? -1 : 1)
}

function isDigit(character = ''): boolean {
  return /^\p{Nd}$/u.test(character)
}

function digitsAround(characters: readonly string[], at: number): string {
  let [start, end] = [at, at]
  while (isDigit(characters[start - 1])) start--
  while (isDigit(characters[end])) end++
  return characters.slice(start, end).join('')
}

function oneLine(text: string): string {
  if (isOtherValue(text)) return doubleQuoted(text)
  // What ends a line elsewhere is written out, that nobody's message has lines of somebody else's making.
  if (hasUnprintable(text) || text.includes('\t') || BREAK.test(text)) return doubleQuoted(text)
  return isPlain(text) ? text : `'${text.replaceAll("'", "''")}'`
}

const BREAK = /[\n\r\u0085\u2028\u2029]/

/** What may stand without quotes. */
function isPlain(text: string): boolean {
  if (text.startsWith(' ') || text.endsWith(' ')) return false
  if (/^(?:---|\.\.\.)|^[#,[\]{}&*!|>'"%@`]|^[?:-](?:[ \t]|$)/.test(text)) return false
  return !/.:(?:[ \t]|$)|[ \t]#/.test(text)
}

/** Not to Go's library: it knows nothing beyond the Basic Multilingual Plane. */
function hasUnprintable(text: string): boolean {
  return /[^\t\n\r -~\u0085\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u.test(text) || /[\r\u0085]/.test(text)
}

const INTEGER = /^[-+]?(?:0[xX][\da-fA-F]+|0[bB][01]+|0b[-+][01]+|0[oO]?[0-7]+|0o[-+][0-7]+|\d+)$/
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/
const DATE = /^\d{4}-\d\d?-\d\d?(?:(?:[Tt]| )\d\d?:\d\d?:\d\d?(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?)?$/
const SEXAGESIMAL = /^[-+]?\d[\d_]*(?::[0-5]?\d)+(?:\.[\d_]*)?$/
const WORD = /^(?:true|True|TRUE|false|False|FALSE|~|null|Null|NULL|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const OLD_WORD = /^(?:y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF)$/

/** What a reader would take for something else than a text, if it stood without quotes. */
function isOtherValue(text: string): boolean {
  if (text === '' || WORD.test(text) || OLD_WORD.test(text) || SEXAGESIMAL.test(text) || DATE.test(text)) return true
  if (!/^[-+\d.]/.test(text)) return false
  const digits = text.startsWith('.') ? text : text.replaceAll('_', '')
  return INTEGER.test(digits) || (FLOAT.test(digits) && Number.isFinite(Number(digits)))
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\0', '\\0'],
  ['\u0007', '\\a'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\v', '\\v'],
  ['\f', '\\f'],
  ['\r', '\\r'],
  ['\u001b', '\\e'],
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\u0085', '\\N'],
  ['\u2028', '\\L'],
  ['\u2029', '\\P'],
])

function doubleQuoted(text: string): string {
  const escaped = text.replace(/[^ !#-[\]-~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/gu, escape)
  return `"${escaped}"`
}

function escape(character: string): string {
  const known = ESCAPES.get(character)
  if (known !== undefined) return known
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase()
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
