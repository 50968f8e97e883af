/** Addresses and ranges of them, as Kubernetes has them. @module */
import { evaluationError } from '../cel-error.js'
import { free, member } from '../environment.js'
import type { Library, Overload } from '../environment.js'
import {
  formatIp,
  formatIpRange,
  isGlobalUnicast,
  isLinkLocalMulticast,
  isLinkLocalUnicast,
  isLoopback,
  isUnspecified,
  maskedRange,
  parseIp,
  parseIpRange,
  rangeHasIp,
  rangeHasRange,
} from '../ip-address.js'
import type { IpAddress, IpRange } from '../ip-address.js'
import { bool, int, opaqueKind, string } from '../kind.js'
import { Opaque } from '../values.js'

class Ip extends Opaque {
  override readonly typeName = 'net.IP'
  readonly address: IpAddress

  constructor(address: IpAddress) {
    super()
    this.address = address
  }

  override equals(other: Opaque): boolean {
    return other instanceof Ip && formatIp(other.address) === formatIp(this.address)
  }
}

class Cidr extends Opaque {
  override readonly typeName = 'net.CIDR'
  readonly range: IpRange

  constructor(range: IpRange) {
    super()
    this.range = range
  }

  override equals(other: Opaque): boolean {
    return other instanceof Cidr && formatIpRange(other.range) === formatIpRange(this.range)
  }
}

const ip = opaqueKind('net.IP', Ip)
const cidr = opaqueKind('net.CIDR', Cidr)

function readIp(text: string): IpAddress {
  const address = parseIp(text)
  if (address !== undefined) return address
  throw evaluationError('IP Address parse error during conversion from string', { found: text.slice(0, 60) })
}

function readRange(text: string): IpRange {
  const range = parseIpRange(text)
  if (range !== undefined) return range
  throw evaluationError('network address parse error during conversion from string', { found: text.slice(0, 60) })
}

function about(test: (address: IpAddress) => boolean): readonly Overload[] {
  return [member([ip], bool, ([{ address }]) => test(address))]
}

export const NETWORK: Library = {
  ip: [
    free([string], ip, ([text]) => new Ip(readIp(text))),
    member([cidr], ip, ([{ range }]) => new Ip(range.address)),
  ],
  isIP: [free([string], bool, ([text]) => parseIp(text) !== undefined)],
  'ip.isCanonical': [free([string], bool, ([text]) => formatIp(readIp(text)) === text)],
  family: [member([ip], int, ([{ address }]) => BigInt(address.family))],
  isUnspecified: about(isUnspecified),
  isLoopback: about(isLoopback),
  isLinkLocalMulticast: about(isLinkLocalMulticast),
  isLinkLocalUnicast: about(isLinkLocalUnicast),
  isGlobalUnicast: about(isGlobalUnicast),
  cidr: [free([string], cidr, ([text]) => new Cidr(readRange(text)))],
  isCIDR: [free([string], bool, ([text]) => parseIpRange(text) !== undefined)],
  containsIP: [
    member([cidr, string], bool, ([{ range }, text]) => rangeHasIp(range, readIp(text))),
    member([cidr, ip], bool, ([{ range }, { address }]) => rangeHasIp(range, address)),
  ],
  containsCIDR: [
    member([cidr, string], bool, ([{ range }, text]) => rangeHasRange(range, readRange(text))),
    member([cidr, cidr], bool, ([{ range }, other]) => rangeHasRange(range, other.range)),
  ],
  prefixLength: [member([cidr], int, ([{ range }]) => BigInt(range.bits))],
  masked: [member([cidr], cidr, ([{ range }]) => new Cidr(maskedRange(range)))],
  string: [
    free([ip], string, ([{ address }]) => formatIp(address)),
    free([cidr], string, ([{ range }]) => formatIpRange(range)),
  ],
}
