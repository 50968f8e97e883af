/** Private keys encrypted under a password, in cosign's file format. @module */
import type { RandomSource } from '#crypto/random'
import type { ScryptCost } from '#crypto/secretbox'
import { openSecretbox, scryptKey, sealSecretbox } from '#crypto/secretbox'
import { decodeBase64, encodeBase64 } from '#encoding/base64'
import { stringifyLikeGo } from '#encoding/go-json'
import type { JsonValue } from '#encoding/json'
import { parseJson } from '#encoding/json'
import type { PemBlock } from '#encoding/pem'
import { encodePem, parsePem } from '#encoding/pem'
import type { ProtoReader } from '#encoding/protojson'
import { readMessage } from '#encoding/protojson'
import { encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { CosignKeyError } from './cosign-key-error.js'

/** The label that is written. */
export const COSIGN_KEY_LABEL = 'ENCRYPTED SIGSTORE PRIVATE KEY'

const OLD_LABEL = 'ENCRYPTED COSIGN PRIVATE KEY'

const SALT_SIZE = 32
const NONCE_SIZE = 24
const DEFAULT_COST: ScryptCost = { N: 65536, r: 8, p: 1 }

// A file with other costs could ask for all of the machine's memory; these three are what cosign ever wrote or reads.
const ACCEPTED_N: ReadonlySet<number> = new Set([32768, 65536, 131072])

/** Whether a PEM text is a key file of this format, without opening it. */
export function isCosignKey(pem: string): boolean {
  return pem.includes(`-----BEGIN ${COSIGN_KEY_LABEL}-----`) || pem.includes(`-----BEGIN ${OLD_LABEL}-----`)
}

/**
 * Decrypts a key file.
 * @returns PKCS #8 DER. A secret.
 * @throws CosignKeyError `COSIGN_KEY_PASSWORD` for a wrong password (or a damaged file: the two look alike)
 */
export async function openCosignKey(pem: string, password: Uint8Array): Promise<Uint8Array> {
  const { cost, salt, nonce, ciphertext } = parseKeyFile(pem)
  const key = await scryptKey(password, salt, cost)
  try {
    return await openSecretbox(key, nonce, ciphertext)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw new CosignKeyError('COSIGN_KEY_PASSWORD', 'the private key does not open with this password', {
      hint: 'check the password (COSIGN_PASSWORD); an empty one is a password too',
      cause,
    })
  }
}

/** Encrypts a PKCS #8 key into a key file. */
export async function sealCosignKey(pkcs8: Uint8Array, password: Uint8Array, random: RandomSource): Promise<string> {
  const salt = random(SALT_SIZE)
  const nonce = random(NONCE_SIZE)
  const ciphertext = await sealSecretbox(await scryptKey(password, salt, DEFAULT_COST), nonce, pkcs8)
  const document = {
    kdf: {
      name: 'scrypt',
      params: { N: DEFAULT_COST.N, r: DEFAULT_COST.r, p: DEFAULT_COST.p },
      salt: encodeBase64(salt),
    },
    cipher: { name: 'nacl/secretbox', nonce: encodeBase64(nonce) },
    ciphertext: encodeBase64(ciphertext),
  }
  return encodePem(COSIGN_KEY_LABEL, encodeUtf8(stringifyLikeGo(document)))
}

interface KeyFile {
  readonly cost: ScryptCost
  readonly salt: Uint8Array
  readonly nonce: Uint8Array
  readonly ciphertext: Uint8Array
}

function parseKeyFile(pem: string): KeyFile {
  const block = onlyBlock(pem)
  if (block.label !== COSIGN_KEY_LABEL && block.label !== OLD_LABEL) {
    throw new CosignKeyError('COSIGN_KEY_LABEL', 'the file is not an encrypted key of cosign', {
      expected: `-----BEGIN ${COSIGN_KEY_LABEL}-----`,
      found: `-----BEGIN ${block.label.slice(0, 60)}-----`,
      hint: 'import a plain or otherwise encrypted key with import-key-pair',
    })
  }
  return asKeyError(() => {
    const reader = message(parseJson(block.bytes), '', ['kdf', 'cipher', 'ciphertext'])
    const kdf = reader.message('kdf', (value, at) => message(value, at, ['name', 'params', 'salt']))
    const cipher = reader.message('cipher', (value, at) => message(value, at, ['name', 'nonce']))
    named(kdf, 'scrypt')
    named(cipher, 'nacl/secretbox')
    const nonce = base64(cipher, 'nonce')
    if (nonce.length !== NONCE_SIZE) throw parameters('a nonce of another size')
    return { cost: parseCost(kdf), salt: base64(kdf, 'salt'), nonce, ciphertext: base64(reader, 'ciphertext') }
  })
}

function onlyBlock(pem: string): PemBlock {
  const [block, ...others] = asKeyError(() => parsePem(pem))
  if (block !== undefined && others.length === 0) return block
  throw new CosignKeyError('COSIGN_KEY_MALFORMED', 'the key file does not hold one PEM block', {
    found: `${String(others.length + 1)} blocks`,
  })
}

function parseCost(kdf: ProtoReader): ScryptCost {
  const cost = kdf.message('params', (value, at) => {
    const reader = message(value, at, ['N', 'r', 'p'])
    return { N: Number(reader.int64('N')), r: Number(reader.int64('r')), p: Number(reader.int64('p')) }
  })
  if (ACCEPTED_N.has(cost.N) && cost.r === DEFAULT_COST.r && cost.p === DEFAULT_COST.p) return cost
  throw parameters(`scrypt with N=${String(cost.N)}, r=${String(cost.r)}, p=${String(cost.p)}`)
}

function named(reader: ProtoReader, expected: string): void {
  const name = reader.string('name')
  if (name !== expected) throw parameters(name.slice(0, 40))
}

/** Fields may hold secrets or what leads to them, so nothing of them is quoted. */
function base64(reader: ProtoReader, field: string): Uint8Array {
  return decodeBase64(reader.string(field))
}

function message(value: JsonValue, path: string, names: readonly string[]): ProtoReader {
  return readMessage(value, path, { names, unknown: 'ignore' })
}

function parameters(found: string): CosignKeyError {
  return new CosignKeyError('COSIGN_KEY_PARAMETERS', 'the key file is encrypted in a way that is not supported', {
    expected: 'scrypt (N of 32768, 65536 or 131072, r=8, p=1) and nacl/secretbox',
    found,
  })
}

function asKeyError<T>(read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof CosignKeyError) throw cause
    throw new CosignKeyError('COSIGN_KEY_MALFORMED', 'the key file cannot be read', {
      expected: `PEM with the label ${COSIGN_KEY_LABEL}, as generate-key-pair writes it`,
      cause,
    })
  }
}
