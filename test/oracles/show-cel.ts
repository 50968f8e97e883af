/** Writes values of CEL as its oracle does: with the type of every part, and maps in order. @module */
import { encodeHex } from '#encoding/hex'
import { formatTimestamp } from '#policy/cel/times'
import { CelMap, Duration, isList, Optional, PENDING, Timestamp, TypeValue, Uint } from '#policy/cel/values'
import type { Outcome } from '#policy/cel/values'

export function showCel(value: Outcome | undefined): string {
  if (value === undefined || value === PENDING) return 'nothing'
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return `double ${Number.isNaN(value) ? 'NaN' : bitsOf(value)}`
  if (typeof value === 'string') return JSON.stringify(value)
  if (value instanceof Uint8Array) return `bytes ${encodeHex(value)}`
  if (value instanceof Uint) return `${String(value.value)}u`
  if (value instanceof Timestamp) return `timestamp ${formatTimestamp(value)}`
  if (value instanceof Duration) return `duration ${String(value.nanos)}`
  if (value instanceof Optional) return value.value === undefined ? 'optional.none' : `optional ${showCel(value.value)}`
  if (value instanceof TypeValue) return `type ${value.name}`
  if (isList(value)) return `[${value.map(showCel).join(',')}]`
  if (!(value instanceof CelMap)) return value.typeName
  const entries = value.keys().map((key) => `${showCel(key)}:${showCel(value.get(key))}`)
  return `{${entries.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join(',')}}`
}

function bitsOf(value: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  return view.getBigUint64(0).toString(16).padStart(16, '0')
}
