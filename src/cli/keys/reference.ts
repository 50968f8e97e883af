/** Key references: files, variables, addresses, and what services.ts and stores/ add to them. @module */
import { type PrivateKey, privateKeyFromPem, privateKeyFromPkcs8 } from '#crypto/private-key'
import { publicKeyFromPem, type PublicKey } from '#crypto/public-key'
import { encodeUtf8 } from '#encoding/utf8'
import { isCosignKey, openCosignKey } from '#formats/cosign-key/encrypted-key'
import { CliError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { askPassword } from '../password.js'
import { asText, parseInput, readFileOrUrl } from '../read-input.js'
import { isKmsAddress, loadKmsKey, type KnownKey } from './services.js'
import { openKeyStore } from './stores/open.js'

/** The bytes that a key reference names. @throws {@link CliError} `CLI_UNSUPPORTED`, `CLI_INPUT`, `CLI_FILE_MISSING` */
async function readKeyReference(host: Host, reference: string, signal: AbortSignal): Promise<Uint8Array> {
  if (reference.startsWith('env://')) return readVariable(host, reference.slice('env://'.length))
  if (reference.startsWith('pkcs11:')) {
    throw new CliError('CLI_UNSUPPORTED', 'keys on hardware tokens are not supported', {
      expected:
        'a file, env://VARIABLE, an http(s) address, k8s://NAMESPACE/SECRET, gitlab://PROJECT, or a key at AWS, Google, Azure or Vault',
      found: 'a pkcs11 reference',
    })
  }
  return await readFileOrUrl(host, reference, signal)
}

function readVariable(host: Host, name: string): Uint8Array {
  const value = host.environment[name]
  if (value !== undefined && value !== '') return encodeUtf8(value)
  throw new CliError('CLI_INPUT', `loading env var: ${name} is not set`, {
    expected: 'a variable that holds a PEM key',
  })
}

/** The public key that a reference names: PEM, or what a key management service has. */
export async function loadPublicKey(host: Host, reference: string, signal: AbortSignal): Promise<KnownKey> {
  const kept = await keptPublicKey(host, reference, signal)
  if (kept !== undefined) return kept
  const bytes = await readKeyReference(host, reference, signal)
  return { key: parseInput(reference, () => publicKeyFrom(asText(bytes, 'the key'))) }
}

/** Of a key at a service, or of a pair in a store; undefined: the reference is to something that is read. */
async function keptPublicKey(host: Host, reference: string, signal: AbortSignal): Promise<KnownKey | undefined> {
  if (isKmsAddress(reference)) return await loadKmsKey(host, reference, signal)
  const store = await openKeyStore(host, reference, signal)
  if (store === undefined) return undefined
  const bytes = await store.read('publicKey')
  return { key: parseInput(reference, () => publicKeyFrom(asText(bytes, 'the key'))) }
}

/** The public key of whatever a reference names, a private key as well. */
export async function loadPublicHalf(host: Host, reference: string, signal: AbortSignal): Promise<PublicKey> {
  const kept = await keptPublicKey(host, reference, signal)
  if (kept !== undefined) return kept.key
  const text = asText(await readKeyReference(host, reference, signal), 'the key')
  return text.includes('PRIVATE KEY-----')
    ? (await loadPrivateKey(host, reference, signal)).publicKey
    : publicKeyFromPem(text)
}

function publicKeyFrom(text: string): PublicKey {
  if (/-----BEGIN (?:[A-Z ]*)PRIVATE KEY-----/.test(text)) {
    throw new CliError('CLI_INPUT', 'this is a private key, and a public key is asked for', {
      hint: `get the public key with "countersign public-key --key …"`,
    })
  }
  return publicKeyFromPem(text)
}

/**
 * The private key that a reference names: one of cosign's encrypted key files, or an unencrypted PEM key.
 * @throws {@link CliError}, CosignKeyError, KeyError
 */
export async function loadPrivateKey(host: Host, reference: string, signal: AbortSignal): Promise<PrivateKey> {
  const store = await openKeyStore(host, reference, signal)
  const bytes = await (store === undefined ? readKeyReference(host, reference, signal) : store.read('sealed'))
  const text = asText(bytes, 'the key')
  if (!isCosignKey(text)) return parseInput(reference, () => privateKeyFromPem(text))
  const password = await (store === undefined ? askPassword(host, { twice: false }) : store.read('password'))
  return privateKeyFromPkcs8(await openCosignKey(text, password))
}

/** Says that hardware keys are not there yet, where they are asked for. */
export function refuseSecurityKey({ sk }: { readonly sk: boolean }): void {
  if (sk)
    throw new CliError('CLI_UNSUPPORTED', 'hardware security keys are not supported yet', {
      hint: 'use --key with a file',
    })
}
