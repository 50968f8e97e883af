/** The keys of an instance: made once, kept as PEM, encrypted where there is a password. @module */
import { ALGORITHMS } from '#crypto/algorithms'
import type { AlgorithmName } from '#crypto/algorithms'
import { privateKeyFromPkcs8 } from '#crypto/private-key'
import type { PrivateKey } from '#crypto/private-key'
import type { RandomSource } from '#crypto/random'
import { encodeHex } from '#encoding/hex'
import { encodePem, parsePem } from '#encoding/pem'
import type { PemBlock } from '#encoding/pem'
import { decodeUtf8 } from '#encoding/utf8'
import { isCodedError } from '#errors'
import { isCosignKey, openCosignKey, sealCosignKey } from '#formats/cosign-key/encrypted-key'
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
  const { files, known } = options
  const seen: Record<string, string> = { ...known }
  return {
    async material(spec) {
      const path = `keys/${spec.name}.pem`
      const stored = await files.read(path)
      const material =
        stored === undefined
          ? await makeMaterial(spec, path, options)
          : await readMaterial({ spec, path, stored }, options)
      const fingerprint = encodeHex(material.key.publicKey.id)
      const expected = known[spec.name]
      if (expected !== undefined && expected !== fingerprint) {
        throw new UpError('UP_KEY_CHANGED', `${path} is not the key that this instance began with`, {
          expected: `a key with the fingerprint ${expected}`,
          found: fingerprint,
          hint: 'restore the file: whoever trusts this instance trusts the old key',
        })
      }
      seen[spec.name] = fingerprint
      return material
    },
    fingerprints: () => ({ ...seen }),
  }
}

async function makeMaterial(
  spec: MaterialSpec,
  path: string,
  { files, known, password, random }: VaultOptions,
): Promise<KeyMaterial> {
  if (Object.hasOwn(known, spec.name)) {
    throw new UpError('UP_KEY_MISSING', `${path} is gone`, {
      expected: `the key with the fingerprint ${known[spec.name] ?? ''}`,
      hint: 'restore it from a backup; a new key would be another identity',
    })
  }
  const material = await spec.make()
  await files.write(path, await encodeMaterial(material, password, random))
  return material
}

interface StoredMaterial {
  readonly spec: MaterialSpec
  readonly path: string
  readonly stored: Uint8Array
}

async function readMaterial({ spec, path, stored }: StoredMaterial, options: VaultOptions): Promise<KeyMaterial> {
  if (!(await options.files.isPrivate(path))) {
    throw new UpError('UP_KEY_PERMISSIONS', `others may read ${path}`, {
      expected: 'mode 0600',
      hint: `chmod 600 ${path}`,
    })
  }
  const [first, ...rest] = readBlocks(path, stored)
  const keyPem = encodePem(first.label, first.bytes)
  const encrypted = isCosignKey(keyPem)
  const pkcs8 = encrypted ? await openEncrypted(path, keyPem, options.password) : first.bytes
  const material = readParts(path, () => ({
    key: privateKeyFromPkcs8(pkcs8, ALGORITHMS[spec.algorithm]),
    chain: rest.map((block) => parseCertificate(block.bytes)),
  }))
  // A password that was introduced later protects what was stored before it.
  if (!encrypted && options.password !== undefined)
    await options.files.write(path, await encodeMaterial(material, options.password, options.random))
  return material
}

async function encodeMaterial(
  { key, chain }: KeyMaterial,
  password: Uint8Array | undefined,
  random: RandomSource,
): Promise<string> {
  const pkcs8 = key.exportPkcs8()
  const keyPem = password === undefined ? encodePem('PRIVATE KEY', pkcs8) : await sealCosignKey(pkcs8, password, random)
  return keyPem + chain.map(certificateToPem).join('')
}

function readBlocks(path: string, stored: Uint8Array): [PemBlock, ...PemBlock[]] {
  const [first, ...rest] = readParts(path, () => parsePem(decodeUtf8(stored)))
  if (first === undefined) throw malformed(path, 'nothing')
  const stranger = rest.find((block) => block.label !== 'CERTIFICATE')
  if (stranger !== undefined) throw malformed(path, `a block ${stranger.label.slice(0, 40)}`)
  return [first, ...rest]
}

async function openEncrypted(path: string, pem: string, password: Uint8Array | undefined): Promise<Uint8Array> {
  if (password === undefined) {
    throw new UpError('UP_PASSWORD_MISSING', 'the keys of this instance are encrypted', {
      hint: 'set COUNTERSIGN_PASSWORD or give --password-file',
    })
  }
  try {
    return await openCosignKey(pem, password)
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    if (cause.code !== 'COSIGN_KEY_PASSWORD') throw malformed(path, 'something else', cause)
    throw new UpError('UP_PASSWORD_WRONG', 'the keys of this instance do not open with this password', { cause })
  }
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
