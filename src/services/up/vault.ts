/** The keys of an instance: made once, kept as PEM, sealed where there is a password. @module */
import { ALGORITHMS } from '#crypto/algorithms'
import type { AlgorithmName } from '#crypto/algorithms'
import { sha256 } from '#crypto/digest'
import { generatePrivateKey, privateKeyFromPkcs8 } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import { openSecretbox, sealSecretbox } from '#crypto/secretbox'
import { concatBytes } from '#encoding/bytes'
import { encodeHex } from '#encoding/hex'
import { encodePem, parsePem } from '#encoding/pem'
import type { PemBlock } from '#encoding/pem'
import { decodeUtf8, encodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { openCosignKey, sealCosignKey } from '#formats/cosign-key/encrypted-key'
import type { Certificate } from '#formats/x509/certificate'
import { certificateToPem, parseCertificate } from '#formats/x509/parse-certificate'
import type { DataFiles } from './data-files.js'
import { UpError } from './errors.js'

/** A key and, where it is an authority's, its certificates, leaf first. */
export interface KeyMaterial {
  readonly key: PrivateKey
  readonly chain: readonly Certificate[]
}

export interface MaterialSpec {
  /** File name and name in the instance's description. */
  readonly name: string
  readonly algorithm: AlgorithmName
  /** Called once in the life of an instance. */
  readonly make: () => Promise<KeyMaterial>
}

export interface VaultOptions {
  readonly files: DataFiles
  readonly random: RandomSource
  /** Fingerprints of the keys that must be there. */
  readonly known: Readonly<Record<string, string>>
  /** Absent: keys are stored in the clear, protected by the file's permissions alone. */
  readonly password?: Uint8Array | undefined
}

export interface Vault {
  /**
   * The material of that name. It is durable before anybody sees it, so that nothing is ever signed with a key that a
   * crash could lose.
   * @throws UpError UP_KEY_MISSING, UP_KEY_CHANGED, UP_KEY_MALFORMED, UP_KEY_PERMISSIONS, UP_PASSWORD_MISSING, UP_PASSWORD_WRONG
   */
  material(spec: MaterialSpec): Promise<KeyMaterial>
  /** Fingerprints of everything that was asked for so far, with those known before. */
  fingerprints(): Readonly<Record<string, string>>
}

export function createVault(options: VaultOptions): Vault {
  const { files, known, random, password } = options
  const seen: Record<string, string> = { ...known }
  const note = (name: string, path: string, key: PrivateKey): void => {
    const fingerprint = encodeHex(key.publicKey.id)
    const expected = known[name]
    if (expected !== undefined && expected !== fingerprint) {
      throw new UpError('UP_KEY_CHANGED', `${path} is not the key that this instance began with`, {
        expected: `a key with the fingerprint ${expected}`,
        found: fingerprint,
        hint: 'restore the file: whoever trusts this instance trusts the old key',
      })
    }
    seen[name] = fingerprint
  }
  const openMaster = async (): Promise<PrivateKey | undefined> => {
    if (password === undefined) return undefined
    const key = await loadMaster(options, password)
    note(MASTER, pathOf(MASTER), key)
    return key
  }
  let master: Promise<PrivateKey | undefined> | undefined
  return {
    async material(spec) {
      const path = pathOf(spec.name)
      const stored = await files.read(path)
      const sealer = createSealer(await (master ??= openMaster()), random)
      const material =
        stored === undefined
          ? await makeMaterial({ spec, path, sealer }, options)
          : await readMaterial({ spec, path, sealer, stored }, options)
      note(spec.name, path, material.key)
      return material
    },
    fingerprints: () => ({ ...seen }),
  }
}

const MASTER = 'master'
const MASTER_ALGORITHM = 'ecdsa-sha2-256-nistp256'

function pathOf(name: string): string {
  return `keys/${name}.pem`
}

/**
 * The key that seals the others. It is the only one under the password itself, in cosign's format: stretching a password
 * takes a third of a second, which every key of an instance would take again.
 */
async function loadMaster({ files, known, random }: VaultOptions, password: Uint8Array): Promise<PrivateKey> {
  const path = pathOf(MASTER)
  const stored = await files.read(path)
  if (stored === undefined) {
    requireNew(MASTER, path, known)
    const key = await generatePrivateKey(MASTER_ALGORITHM)
    await files.write(path, await sealCosignKey(key.exportPkcs8(), password, random))
    return key
  }
  await requirePrivate(files, path)
  const pkcs8 = await openMasterFile(
    path,
    readParts(path, () => decodeUtf8(stored)),
    password,
  )
  return readParts(path, () => privateKeyFromPkcs8(pkcs8, ALGORITHMS[MASTER_ALGORITHM]))
}

async function openMasterFile(path: string, pem: string, password: Uint8Array): Promise<Uint8Array> {
  try {
    return await openCosignKey(pem, password)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    if (cause.code !== 'COSIGN_KEY_PASSWORD') throw malformed(path, 'something else', cause)
    throw new UpError('UP_PASSWORD_WRONG', 'the keys of this instance do not open with this password', { cause })
  }
}

/** Turns a key into the block that is stored, and back. */
interface Sealer {
  /** Whether what is written is sealed. */
  readonly seals: boolean
  block(name: string, pkcs8: Uint8Array): Promise<string>
  open(path: string, name: string, block: PemBlock): Promise<Uint8Array>
}

const PLAIN = 'PRIVATE KEY'
const SEALED = 'SEALED PRIVATE KEY'
const NONCE_BYTES = 24

function createSealer(master: PrivateKey | undefined, random: RandomSource): Sealer {
  // The name is part of the key: no file can be put in the place of another.
  const keyFor = (from: PrivateKey, name: string): Uint8Array =>
    sha256(concatBytes(encodeUtf8(`countersign sealed key\n${name}\n`), from.exportPkcs8()))
  return {
    seals: master !== undefined,
    async block(name, pkcs8) {
      if (master === undefined) return encodePem(PLAIN, pkcs8)
      const nonce = random(NONCE_BYTES)
      return encodePem(SEALED, concatBytes(nonce, await sealSecretbox(keyFor(master, name), nonce, pkcs8)))
    },
    async open(path, name, { label, bytes }) {
      if (label === PLAIN) return bytes
      if (label !== SEALED) throw malformed(path, `a block ${label.slice(0, 40)}`)
      if (master === undefined) {
        throw new UpError('UP_PASSWORD_MISSING', 'the keys of this instance are encrypted', {
          hint: 'set COUNTERSIGN_PASSWORD or give --password-file',
        })
      }
      try {
        return await openSecretbox(keyFor(master, name), bytes.slice(0, NONCE_BYTES), bytes.slice(NONCE_BYTES))
      } catch (cause) {
        throw malformed(path, 'a box that this instance did not seal', cause)
      }
    },
  }
}

interface Place {
  readonly spec: MaterialSpec
  readonly path: string
  readonly sealer: Sealer
}

async function makeMaterial({ spec, path, sealer }: Place, { files, known }: VaultOptions): Promise<KeyMaterial> {
  requireNew(spec.name, path, known)
  const material = await spec.make()
  await files.write(path, await encodeMaterial(spec.name, material, sealer))
  return material
}

async function readMaterial(
  place: Place & { readonly stored: Uint8Array },
  { files }: VaultOptions,
): Promise<KeyMaterial> {
  const { spec, path, sealer, stored } = place
  await requirePrivate(files, path)
  const [first, ...rest] = readBlocks(path, stored)
  const pkcs8 = await sealer.open(path, spec.name, first)
  const material = readParts(path, () => ({
    key: privateKeyFromPkcs8(pkcs8, ALGORITHMS[spec.algorithm]),
    chain: rest.map((block) => parseCertificate(block.bytes)),
  }))
  // A password that was introduced later protects what was stored before it.
  if (sealer.seals && first.label === PLAIN) await files.write(path, await encodeMaterial(spec.name, material, sealer))
  return material
}

async function encodeMaterial(name: string, { key, chain }: KeyMaterial, sealer: Sealer): Promise<string> {
  return (await sealer.block(name, key.exportPkcs8())) + chain.map(certificateToPem).join('')
}

function requireNew(name: string, path: string, known: VaultOptions['known']): void {
  const expected = known[name]
  if (expected === undefined) return
  throw new UpError('UP_KEY_MISSING', `${path} is gone`, {
    expected: `the key with the fingerprint ${expected}`,
    hint: 'restore it from a backup; a new key would be another identity',
  })
}

async function requirePrivate(files: DataFiles, path: string): Promise<void> {
  if (await files.isPrivate(path)) return
  throw new UpError('UP_KEY_PERMISSIONS', `others may read ${path}`, {
    expected: 'mode 0600',
    hint: `chmod 600 ${path}`,
  })
}

function readBlocks(path: string, stored: Uint8Array): [PemBlock, ...PemBlock[]] {
  const [first, ...rest] = readParts(path, () => parsePem(decodeUtf8(stored)))
  if (first === undefined) throw malformed(path, 'nothing')
  const stranger = rest.find((block) => block.label !== 'CERTIFICATE')
  if (stranger !== undefined) throw malformed(path, `a block ${stranger.label.slice(0, 40)}`)
  return [first, ...rest]
}

function readParts<T>(path: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw malformed(path, 'something else', cause)
  }
}

function malformed(path: string, found: string, cause?: unknown): UpError {
  return new UpError('UP_KEY_MALFORMED', `${path} cannot be read`, {
    expected: 'a private key and its certificates in PEM',
    found,
    cause,
  })
}
