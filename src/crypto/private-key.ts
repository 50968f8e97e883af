/** Private keys in memory: generating, reading, signing. @module */
import type { KeyObject } from 'node:crypto'
import { constants, createPrivateKey, createPublicKey, createSign, generateKeyPair, sign } from 'node:crypto'
import { promisify } from 'node:util'
import { decodeBase64Url } from '#encoding/base64'
import { encodePem, parsePem } from '#encoding/pem'
import type { Algorithm, AlgorithmName } from './algorithms.js'
import { ALGORITHMS, defaultAlgorithm } from './algorithms.js'
import { DIGEST_SIZES, createDigest } from './digest.js'
import { signEd25519ph } from './ed25519-ph.js'
import { KeyError } from './key-error.js'
import { mlDsaPrivateKey } from './ml-dsa-key.js'
import type { PublicKey } from './public-key.js'
import { parsePublicKey } from './public-key.js'
import type { SignInput } from './sign-input.js'
import { collectInput } from './sign-input.js'
import { requireFit } from './verify.js'

/** Something that signs with one algorithm: a key in memory, or one that never leaves its device. */
export interface Signer {
  readonly algorithm: Algorithm
  readonly publicKey: PublicKey
  /** The same key over a digest, where its algorithm is over the message itself and the key has such a form: Ed25519ph of Ed25519. */
  readonly prehashed?: Signer
  sign(input: SignInput): Promise<Uint8Array>
}

/** A signer whose key can be written out. */
export interface PrivateKey extends Signer {
  /** The unencrypted PKCS #8 DER. A secret. */
  exportPkcs8(): Uint8Array
  /** The same key with another of the algorithms that it fits. @throws {@link KeyError} KEY_ALGORITHM_MISMATCH */
  withAlgorithm(algorithm: Algorithm): PrivateKey
}

const CURVE_NAMES = { 'ec-p256': 'P-256', 'ec-p384': 'P-384', 'ec-p521': 'P-521' } as const

const generatePair = promisify(generateKeyPair)

/** Makes a new key from the operating system's randomness. */
export async function generatePrivateKey(name: AlgorithmName): Promise<PrivateKey> {
  const algorithm = ALGORITHMS[name]
  switch (algorithm.keyType) {
    case 'ec-p256':
    case 'ec-p384':
    case 'ec-p521':
      return fromKeyObject(
        (await generatePair('ec', { namedCurve: CURVE_NAMES[algorithm.keyType] })).privateKey,
        algorithm,
      )
    case 'rsa':
    case 'rsa-pss':
      return fromKeyObject(
        (await generatePair('rsa', { modulusLength: algorithm.keyBits ?? 3072 })).privateKey,
        algorithm,
      )
    case 'ed25519':
      return fromKeyObject((await generatePair('ed25519')).privateKey, algorithm)
    case 'ml-dsa-44':
    case 'ml-dsa-65':
    case 'ml-dsa-87':
      return await mlDsaPrivateKey(algorithm)
  }
}

/**
 * Reads an unencrypted PKCS #8 key.
 * @throws {@link KeyError} KEY_MALFORMED, KEY_UNSUPPORTED, KEY_WEAK, or KEY_ALGORITHM_MISMATCH if the given algorithm does not take it.
 */
export function privateKeyFromPkcs8(der: Uint8Array, algorithm?: Algorithm): PrivateKey {
  return fromKeyObject(openPrivateKey(der, 'pkcs8'), algorithm)
}

const PEM_TYPES = new Map<string, 'pkcs8' | 'pkcs1' | 'sec1'>([
  ['PRIVATE KEY', 'pkcs8'],
  ['RSA PRIVATE KEY', 'pkcs1'],
  ['EC PRIVATE KEY', 'sec1'],
])

/**
 * Reads the unencrypted private key of a PEM text: PKCS #8, PKCS #1 or SEC 1. An EC PARAMETERS block before it is skipped.
 * @throws {@link KeyError} as {@link privateKeyFromPkcs8} does, and KEY_ENCRYPTED for a key under a password.
 */
export function privateKeyFromPem(text: string, algorithm?: Algorithm): PrivateKey {
  if (/^(?:-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED)/m.test(text)) {
    throw new KeyError('KEY_ENCRYPTED', 'the PEM key is encrypted', {
      hint: 'decrypt it first, for example with openssl pkcs8 -in KEY',
    })
  }
  const blocks = readPem(text).filter((block) => block.label !== 'EC PARAMETERS')
  const type = PEM_TYPES.get(blocks[0]?.label ?? '')
  if (blocks[0] === undefined || blocks.length !== 1 || type === undefined) {
    throw new KeyError('KEY_MALFORMED', 'the PEM text is not one private key', {
      expected: [...PEM_TYPES.keys()].join(', '),
      found: blocks
        .map((block) => block.label)
        .join(', ')
        .slice(0, 80),
    })
  }
  return fromKeyObject(openPrivateKey(blocks[0].bytes, type), algorithm)
}

/** Unencrypted PKCS #8 PEM. A secret. */
export function privateKeyToPem(key: PrivateKey): string {
  return encodePem('PRIVATE KEY', key.exportPkcs8())
}

function fromKeyObject(key: KeyObject, chosen: Algorithm | undefined): PrivateKey {
  const publicKey = parsePublicKey(new Uint8Array(createPublicKey(key).export({ format: 'der', type: 'spki' })))
  const algorithm = chosen ?? defaultAlgorithm(publicKey)
  requireFit(algorithm, publicKey)
  return {
    algorithm,
    publicKey,
    sign: (input) => signInput(key, algorithm, input),
    exportPkcs8: () => new Uint8Array(key.export({ format: 'der', type: 'pkcs8' })),
    withAlgorithm: (other) => fromKeyObject(key, other),
    ...(algorithm.family === 'ed25519' && { prehashed: fromKeyObject(key, ALGORITHMS['ed25519-ph']) }),
  }
}

async function signInput(key: KeyObject, algorithm: Algorithm, input: SignInput): Promise<Uint8Array> {
  if (algorithm.family === 'ed25519-ph') return await signPrehashed(key, input)
  if (algorithm.digest === undefined) return new Uint8Array(sign(null, await collectInput(input), key))
  const options =
    algorithm.family === 'rsa-pss'
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: DIGEST_SIZES[algorithm.digest] }
      : { key }
  if (input instanceof Uint8Array) return new Uint8Array(sign(algorithm.digest, input, options))
  const running = createSign(algorithm.digest)
  for await (const chunk of input) running.update(chunk)
  return new Uint8Array(running.sign(options))
}

async function signPrehashed(key: KeyObject, input: SignInput): Promise<Uint8Array> {
  const running = createDigest('sha512')
  if (input instanceof Uint8Array) running.update(input)
  else for await (const chunk of input) running.update(chunk)
  const { d = '' } = key.export({ format: 'jwk' })
  return await signEd25519ph(decodeBase64Url(d), running.digest())
}

function openPrivateKey(der: Uint8Array, type: 'pkcs8' | 'pkcs1' | 'sec1'): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: 'der', type })
  } catch {
    // No cause: OpenSSL's error could describe the key.
    throw new KeyError('KEY_MALFORMED', 'not a private key that OpenSSL can read', {
      expected: `an unencrypted ${type} key`,
    })
  }
}

function readPem(text: string): ReturnType<typeof parsePem> {
  try {
    return parsePem(text)
  } catch {
    throw new KeyError('KEY_MALFORMED', 'not a PEM private key', { expected: [...PEM_TYPES.keys()].join(', ') })
  }
}
