/** The signer's certificate where it does not come with the signature, but from `--certificate`. @module */
import { decodeBase64 } from '#encoding/base64'
import { equalBytes } from '#encoding/bytes'
import { type PemBlock, parsePem } from '#encoding/pem'
import { isCodedError } from '#errors'
import type { SignedEntity } from '#formats/signed-entity'
import { withoutRoots } from '#formats/x509/self-issued'
import { VerificationError } from '#verify/errors'
import { CliError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { asText, readFileOrUrl } from '../read-input.js'

/**
 * Reads a certificate and what stands above it: PEM, base64 of PEM (as old clients wrote it), or DER.
 * @throws {@link CliError} `CLI_INPUT`
 */
export async function loadGivenCertificate(
  host: Host,
  reference: string,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const bytes = unwrapBase64(await readFileOrUrl(host, reference, signal))
  if (bytes[0] === 0x30) return [bytes]
  const chain = blocksOf(asText(bytes, reference))
    .filter(({ label }) => label === 'CERTIFICATE')
    .map((block) => block.bytes)
  if (chain.length > 0) return withoutRoots(chain)
  throw new CliError('CLI_INPUT', `${reference} holds no certificate`, { expected: 'PEM or DER' })
}

function blocksOf(text: string): readonly PemBlock[] {
  try {
    return parsePem(text)
  } catch (error) {
    if (isCodedError(error)) return []
    throw error
  }
}

/**
 * The entity with the certificate. One that carries a certificate of its own must carry the same.
 * @throws VerificationError `VERIFY_CERTIFICATE`
 */
export function withGivenCertificate(entity: SignedEntity, given: readonly Uint8Array[]): SignedEntity {
  const [leaf] = given
  const [carried] = entity.key.kind === 'certificates' ? entity.key.chain : []
  if (carried === undefined) return { ...entity, key: { kind: 'certificates', chain: given } }
  if (leaf !== undefined && equalBytes(carried, leaf)) return entity
  throw new VerificationError(
    'VERIFY_CERTIFICATE',
    'the certificate that was given is not the one that came with the signature',
    { hint: 'leave out --certificate: the signature has its own' },
  )
}

/** The bytes behind base64, or the same bytes if they are none. */
export function unwrapBase64(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder().decode(bytes).replace(/\s/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return bytes
  try {
    return decodeBase64(text)
  } catch (error) {
    if (isCodedError(error)) return bytes
    throw error
  }
}
