/** An application of Azure that proves itself with a certificate: a statement by its key, which names the certificate. @module */
import { ALGORITHMS } from '#crypto/algorithms'
import { sha256 } from '#crypto/digest'
import { type PrivateKey, privateKeyFromPem } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { encodeBase64Url } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { encodePem, parsePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import { CloudError } from './cloud-error.js'
import type { CloudPorts } from './cloud-ports.js'
import { signJwt } from './jwt.js'

const LIFE_SECONDS = 600

/**
 * In the form of "Microsoft identity platform application authentication certificate credentials".
 * @throws CloudError CLOUD_SETTINGS unless the file is PEM with a certificate and its RSA key
 */
export async function certificateAssertion(
  { readText, clock }: CloudPorts,
  { client, url }: { readonly client: string; readonly url: string },
  path: string,
): Promise<string> {
  const { certificate, key } = readFile(await readText(path), path)
  const issued = Math.floor(clock() / 1000)
  const header = { alg: 'PS256', typ: 'JWT', 'x5t#S256': encodeBase64Url(sha256(certificate)) }
  const claims = {
    aud: url,
    iss: client,
    sub: client,
    jti: encodeHex(randomBytes(16)),
    nbf: issued,
    exp: issued + LIFE_SECONDS,
  }
  return await signJwt(key, header, claims)
}

interface CertificateFile {
  readonly certificate: Uint8Array
  readonly key: PrivateKey
}

function readFile(text: string, path: string): CertificateFile {
  try {
    const blocks = parsePem(text)
    const certificate = blocks.find(({ label }) => label === 'CERTIFICATE')
    const keys = blocks.filter(({ label }) => label !== 'CERTIFICATE')
    const usual = privateKeyFromPem(keys.map(({ label, bytes }) => encodePem(label, bytes)).join(''))
    const pss = Object.values(ALGORITHMS).find(
      ({ family, keyBits }) => family === 'rsa-pss' && keyBits === usual.publicKey.keyBits,
    )
    if (certificate !== undefined && usual.publicKey.keyType === 'rsa' && pss !== undefined)
      return { certificate: certificate.bytes, key: usual.withAlgorithm(pss) }
  } catch (cause) {
    if (!isCodedError(cause)) throw cause
    throw unusable(path, cause)
  }
  throw unusable(path)
}

function unusable(path: string, cause?: unknown): CloudError {
  return new CloudError('CLOUD_SETTINGS', `${path} is not a certificate with its key`, {
    expected: 'PEM with a certificate and an RSA key that is not encrypted',
    hint: 'AZURE_CLIENT_CERTIFICATE_PATH names it; PKCS #12 is not supported: openssl pkcs12 -in FILE -nodes writes PEM',
    cause,
  })
}
