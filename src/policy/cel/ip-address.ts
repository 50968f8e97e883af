/** Addresses of the internet protocol, and ranges of them. @module */

export interface IpAddress {
  readonly family: 4 | 6
  readonly value: bigint
}

/** Addresses that start with the same bits. */
export interface IpRange {
  readonly address: IpAddress
  readonly bits: number
}

const V4 = /^(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})\.(0|[1-9]\d{0,2})$/
/** The longest text of an address, and a little more. */
const MAX_LENGTH = 64

/** The address of a text, or undefined if it is none, has a zone, or is one of version 4 in the dress of version 6. */
export function parseIp(text: string): IpAddress | undefined {
  if (text.length > MAX_LENGTH) return undefined
  if (!text.includes(':')) {
    const value = parseV4(text)
    return value === undefined ? undefined : { family: 4, value }
  }
  const value = parseV6(text)
  return value === undefined || value >> 32n === 0xffffn ? undefined : { family: 6, value }
}

function parseV4(text: string): bigint | undefined {
  const parts = V4.exec(text)?.slice(1).map(Number)
  if (parts === undefined || parts.some((part) => part > 255)) return undefined
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n)
}

function parseV6(text: string): bigint | undefined {
  const sides = text.split('::')
  if (sides.length > 2) return undefined
  const [front, back] = sides.map(groupsOf)
  if (front === undefined) return undefined
  if (sides.length === 1) return front.length === 8 ? valueOf(front) : undefined
  // The two colons stand for one group at least.
  if (back === undefined || front.length + back.length > 7) return undefined
  return valueOf([...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0n), ...back])
}

/** Groups of 16 bits; the last two may be written as an address of version 4. */
function groupsOf(text: string, side: number, { length: sides }: readonly string[]): readonly bigint[] | undefined {
  if (text === '') return []
  const groups: bigint[] = []
  const parts = text.split(':')
  for (const [index, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(BigInt(`0x${part}`))
      continue
    }
    const v4 = index === parts.length - 1 && side === sides - 1 ? parseV4(part) : undefined
    if (v4 === undefined) return undefined
    groups.push(v4 >> 16n, v4 & 0xffffn)
  }
  return groups
}

function valueOf(groups: readonly bigint[]): bigint {
  return groups.reduce((value, group) => value * 65_536n + group, 0n)
}

/** In the form of RFC 5952. */
export function formatIp({ family, value }: IpAddress): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, index) => (value >> BigInt(112 - index * 16)) & 0xffffn)
  const { start, length } = longestZeros(groups)
  const write = (part: readonly bigint[]): string => part.map((group) => group.toString(16)).join(':')
  return length < 2 ? write(groups) : `${write(groups.slice(0, start))}::${write(groups.slice(start + length))}`
}

function longestZeros(groups: readonly bigint[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 }
  let start = 0
  for (const [index, group] of groups.entries()) {
    if (group !== 0n) start = index + 1
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start }
  }
  return best
}

/** The range of a text such as `10.0.0.0/8`, or undefined if it is none. */
export function parseIpRange(text: string): IpRange | undefined {
  const [, before = '', digits = ''] = /^([^/]*)\/(0|[1-9]\d{0,2})$/.exec(text) ?? []
  const address = parseIp(before)
  const bits = Number(digits)
  return address === undefined || bits > widthOf(address) ? undefined : { address, bits }
}

function widthOf({ family }: IpAddress): number {
  return family === 4 ? 32 : 128
}

export function formatIpRange({ address, bits }: IpRange): string {
  return `${formatIp(address)}/${String(bits)}`
}

/** The range as its first address has it. */
export function maskedRange({ address, bits }: IpRange): IpRange {
  const free = BigInt(widthOf(address) - bits)
  return { address: { family: address.family, value: (address.value >> free) << free }, bits }
}

export function rangeHasIp(range: IpRange, address: IpAddress): boolean {
  if (range.address.family !== address.family) return false
  const free = BigInt(widthOf(address) - range.bits)
  return range.address.value >> free === address.value >> free
}

export function rangeHasRange(range: IpRange, other: IpRange): boolean {
  return range.bits <= other.bits && rangeHasIp(range, other.address)
}

function within(...ranges: readonly string[]): (address: IpAddress) => boolean {
  const parsed = ranges.map(parseIpRange).filter((range) => range !== undefined)
  return (address) => parsed.some((range) => rangeHasIp(range, address))
}

export const isUnspecified: (address: IpAddress) => boolean = within('0.0.0.0/32', '::/128')
export const isLoopback: (address: IpAddress) => boolean = within('127.0.0.0/8', '::1/128')
export const isLinkLocalUnicast: (address: IpAddress) => boolean = within('169.254.0.0/16', 'fe80::/10')
const isMulticast = within('224.0.0.0/4', 'ff00::/8')
const isBroadcast = within('255.255.255.255/32')
const isLinkLocalV4 = within('224.0.0.0/24')

export function isLinkLocalMulticast(address: IpAddress): boolean {
  if (address.family === 4) return isLinkLocalV4(address)
  return address.value >> 120n === 0xffn && ((address.value >> 112n) & 0xfn) === 2n
}

export function isGlobalUnicast(address: IpAddress): boolean {
  return ![isUnspecified, isLoopback, isLinkLocalUnicast, isMulticast, isBroadcast].some((test) => test(address))
}
