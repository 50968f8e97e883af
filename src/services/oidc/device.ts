/** Device authorization grants (RFC 8628): signing in on one machine for a program on another. @module */
import type { RandomSource } from '#crypto/random'
import type { UnixMillis } from '#time'
import { IssuerError } from './errors.js'
import type { Issuer } from './issuer.js'
import type { User } from './users.js'

/** One sign-in that a device waits for. */
export interface DeviceGrant {
  readonly userCode: string
  /** cosign sends one here too; then the token is only for whoever knows its verifier. */
  readonly challenge: string | undefined
  readonly nonce: string | undefined
  state: DeviceState
  /** When the device last asked, and how long (milliseconds) it has to wait. */
  askedAt: UnixMillis | undefined
  interval: number
}

type DeviceState =
  { readonly kind: 'pending' } | { readonly kind: 'granted'; readonly user: User } | { readonly kind: 'denied' }

/** No vowels, so no words; no letters that look alike (RFC 8628 §6.1). 20^8 is 34 bits. */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ'
const CODE_LENGTH = 8

/** Begins a grant. Returns its device code, which only the device learns. */
export function beginDeviceGrant(
  issuer: Issuer,
  about: Pick<DeviceGrant, 'challenge' | 'nonce'>,
): { deviceCode: string; grant: DeviceGrant } {
  const deviceCode = issuer.newToken()
  let userCode = newUserCode(issuer.random)
  while (issuer.userCodes.get(userCode) !== undefined) userCode = newUserCode(issuer.random)
  const grant: DeviceGrant = {
    userCode,
    ...about,
    state: { kind: 'pending' },
    askedAt: undefined,
    interval: issuer.deviceInterval * 1000,
  }
  issuer.devices.set(deviceCode, grant)
  issuer.userCodes.set(userCode, deviceCode)
  return { deviceCode, grant }
}

/** Finds the grant that waits for a person's answer. @throws IssuerError ISSUER_DEVICE_CODE */
export function findPendingGrant(issuer: Issuer, typed: string): DeviceGrant {
  const deviceCode = issuer.userCodes.get(normaliseUserCode(typed))
  const grant = deviceCode === undefined ? undefined : issuer.devices.get(deviceCode)
  if (grant?.state.kind === 'pending') return grant
  throw new IssuerError('ISSUER_DEVICE_CODE', 'no sign-in waits under this code', {
    hint: 'compare it with the one that the program shows; it is good for five minutes',
  })
}

/** Records the person's answer. */
export function answerGrant(issuer: Issuer, grant: DeviceGrant, state: DeviceState): void {
  grant.state = state
  issuer.userCodes.delete(grant.userCode)
}

/**
 * A device asks. Returns the person once, and never again.
 * @throws IssuerError ISSUER_DEVICE_PENDING, ISSUER_DEVICE_SLOW_DOWN, ISSUER_DEVICE_DENIED, ISSUER_DEVICE_EXPIRED
 */
export function redeemGrant(issuer: Issuer, deviceCode: string): { grant: DeviceGrant; user: User } {
  const grant = issuer.devices.get(deviceCode)
  // Unknown and expired look the same once an entry is gone; the second is what practically always happened.
  if (grant === undefined)
    throw new IssuerError('ISSUER_DEVICE_EXPIRED', 'this device code is unknown or too old', { hint: 'begin again' })
  const now = issuer.clock()
  const tooSoon = grant.askedAt !== undefined && now - grant.askedAt < grant.interval
  grant.askedAt = now
  if (tooSoon) {
    grant.interval += 5000 // RFC 8628 §3.5
    throw new IssuerError('ISSUER_DEVICE_SLOW_DOWN', 'ask less often', {
      expected: `${String(grant.interval / 1000)} seconds between two questions`,
    })
  }
  if (grant.state.kind === 'pending') throw new IssuerError('ISSUER_DEVICE_PENDING', 'the person has not answered yet')
  issuer.devices.delete(deviceCode)
  if (grant.state.kind === 'denied') throw new IssuerError('ISSUER_DEVICE_DENIED', 'the sign-in was cancelled')
  return { grant, user: grant.state.user }
}

/** `WDJB-MJHT`, as people read it. */
export function showUserCode(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`
}

/** People leave out the dash, add spaces, and type small letters. */
function normaliseUserCode(typed: string): string {
  return typed.toUpperCase().replace(/[^A-Z]/g, '')
}

function newUserCode(random: RandomSource): string {
  let code = ''
  while (code.length < CODE_LENGTH) {
    for (const byte of random(16)) {
      // 240 is a multiple of 20: what lies above would make some letters likelier.
      if (byte < 240 && code.length < CODE_LENGTH) code += ALPHABET[byte % ALPHABET.length] ?? ''
    }
  }
  return code
}
