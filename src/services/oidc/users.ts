/** Who may sign in: people from a file with password hashes, or, for development, anybody. @module */
import type { RandomSource } from '#crypto/random'
import { scryptKey } from '#crypto/secretbox'
import type { ScryptCost } from '#crypto/secretbox'
import { decodeBase64Url, encodeBase64Url } from '#encoding/base64'
import { parseJson } from '#encoding/json'
import type { JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import { IssuerError } from './errors.js'

/** What an ID token says of a person. */
export interface User {
  /** Never given to somebody else. */
  readonly subject: string
  readonly email: string
}

export interface UserDirectory {
  /** False: a development issuer, which believes what it is told. */
  readonly asksPassword: boolean
  /**
   * @throws IssuerError ISSUER_CREDENTIALS without telling which part was wrong; ISSUER_USER_INVALID for a name that is no
   * e-mail address at a development issuer.
   */
  authenticate(email: string, password: string): Promise<User>
}

/** One line of the users file. */
export interface UserRecord {
  readonly email: string
  /** `scrypt$N$r$p$salt$hash`, the last two base64url. */
  readonly password: string
}

/** OWASP's choice for scrypt (2023): 128 MiB would be too much for a small server, so its 32 MiB, p = 3 variant. */
const COST: ScryptCost = { N: 2 ** 15, r: 8, p: 3 }
/** What a users file may ask of us; more would let it stop the process. */
const MAX_COST: ScryptCost = { N: 2 ** 18, r: 16, p: 8 }
const SALT_BYTES = 16
const MAX_PASSWORD_LENGTH = 1024

// Deliberately narrower than RFC 5321: what every X.509 rfc822Name, log index and policy can carry.
const EMAIL =
  /^[A-Za-z0-9](?:[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,62}[A-Za-z0-9])?@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]$/

/** Whether a text is an e-mail address that identities of this issuer may have. */
export function isEmail(text: string): boolean {
  return text.length <= 254 && EMAIL.test(text) && !text.includes('..')
}

/** @throws IssuerError ISSUER_USER_INVALID */
export function requireEmail(text: string): string {
  if (isEmail(text)) return text
  throw new IssuerError('ISSUER_USER_INVALID', 'that is not an e-mail address', {
    expected: 'somebody@example.com',
    found: text.slice(0, 80),
  })
}

/** Anybody, by e-mail address alone. Only for an issuer that no stranger can reach. */
export function developmentUsers(): UserDirectory {
  return {
    asksPassword: false,
    authenticate: (email) =>
      new Promise((resolve) => {
        const address = requireEmail(email)
        resolve({ subject: address, email: address })
      }),
  }
}

/** The people of a list. Names are compared without regard to case, as mail systems do in practice. */
export function listedUsers(records: readonly UserRecord[]): UserDirectory {
  const byName = new Map(records.map((record) => [record.email.toLowerCase(), record]))
  // Somebody who is not on the list costs as much time as somebody who is, or timing would tell who is.
  const cost = parseHash(records[0]?.password ?? '')?.cost ?? COST
  const nobody: UserRecord = { email: '', password: formatHash(cost, new Uint8Array(SALT_BYTES), new Uint8Array(32)) }
  return {
    asksPassword: true,
    async authenticate(email, password) {
      const record = byName.get(email.toLowerCase()) ?? nobody
      const fits = password.length <= MAX_PASSWORD_LENGTH && (await passwordFits(password, record.password))
      if (!fits || record === nobody)
        throw new IssuerError('ISSUER_CREDENTIALS', 'the e-mail address or the password is wrong')
      return { subject: record.email, email: record.email }
    },
  }
}

/** Turns a password into what the users file holds. */
export async function hashPassword(password: string, random: RandomSource, cost: ScryptCost = COST): Promise<string> {
  const salt = random(SALT_BYTES)
  return formatHash(cost, salt, await scryptKey(encodeUtf8(password.normalize('NFC')), salt, cost))
}

/**
 * Reads a users file: `{"users":[{"email":…,"password":"scrypt$…"}]}`.
 * @throws IssuerError ISSUER_USERS_FILE, which names the entry but never its hash
 */
export function parseUsers(content: Uint8Array): readonly UserRecord[] {
  const users = readUsers(content)
  const seen = new Set<string>()
  return users.map((entry, index) => {
    const where = `users[${String(index)}]`
    const [email, password] = [field(entry, 'email', where), field(entry, 'password', where)]
    if (!isEmail(email)) throw malformed(`${where}.email is not an e-mail address`)
    if (seen.has(email.toLowerCase())) throw malformed(`${where} is there twice`)
    seen.add(email.toLowerCase())
    if (parseHash(password) === undefined) throw malformed(`${where}.password is not a hash made by countersign`)
    return { email, password }
  })
}

/** Writes a users file. */
export function formatUsers(records: readonly UserRecord[]): string {
  const users = records.map(({ email, password }) => ({ email, password }))
  return `${JSON.stringify({ users }, undefined, 2)}\n`
}

interface PasswordHash {
  readonly cost: ScryptCost
  readonly salt: Uint8Array
  readonly hash: Uint8Array
}

async function passwordFits(password: string, stored: string): Promise<boolean> {
  const parsed = parseHash(stored)
  if (parsed === undefined) return false
  const found = await scryptKey(encodeUtf8(password.normalize('NFC')), parsed.salt, parsed.cost)
  return equalInConstantTime(found, parsed.hash)
}

function parseHash(text: string): PasswordHash | undefined {
  const match = /^scrypt\$(\d{1,7})\$(\d{1,2})\$(\d{1,2})\$([\w-]+)\$([\w-]+)$/.exec(text)
  if (match === null) return undefined
  const [, N, r, p, salt = '', hash = ''] = match
  const cost = { N: Number(N), r: Number(r), p: Number(p) }
  const power = cost.N > 1 && Number.isInteger(Math.log2(cost.N))
  if (!power || cost.N > MAX_COST.N || cost.r < 1 || cost.r > MAX_COST.r || cost.p < 1 || cost.p > MAX_COST.p)
    return undefined
  try {
    const decoded = { cost, salt: decodeBase64Url(salt), hash: decodeBase64Url(hash) }
    return decoded.hash.length === 32 && decoded.salt.length >= SALT_BYTES ? decoded : undefined
  } catch {
    return undefined
  }
}

function formatHash({ N, r, p }: ScryptCost, salt: Uint8Array, hash: Uint8Array): string {
  return `scrypt$${String(N)}$${String(r)}$${String(p)}$${encodeBase64Url(salt)}$${encodeBase64Url(hash)}`
}

/** Looks at every byte, so that time does not tell where the first difference is. */
function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  let difference = 0
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0)
  return difference === 0
}

function readUsers(content: Uint8Array): readonly JsonValue[] {
  let value: JsonValue
  try {
    value = parseJson(content)
  } catch (cause) {
    throw new IssuerError('ISSUER_USERS_FILE', 'the users file is not JSON', { cause })
  }
  const users = isObject(value) ? value['users'] : undefined
  if (!Array.isArray(users)) throw malformed('there is no list "users"')
  return users as readonly JsonValue[]
}

function field(entry: JsonValue, name: string, where: string): string {
  const value = isObject(entry) ? entry[name] : undefined
  if (typeof value !== 'string') throw malformed(`${where}.${name} is missing`)
  return value
}

function isObject(value: JsonValue): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function malformed(found: string): IssuerError {
  return new IssuerError('ISSUER_USERS_FILE', 'the users file cannot be used', {
    expected: '{"users":[{"email":…,"password":…}]}',
    found,
    hint: 'write its entries with: countersign user add EMAIL --users FILE',
  })
}
