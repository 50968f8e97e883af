/** The certificate that comes with a signer's own key. @module */
import { parsePublicKey } from '#crypto/public-key'
import { equalBytes } from '#encoding/bytes'
import { parsePem } from '#encoding/pem'
import type { Certificate } from '#formats/x509/certificate'
import { verifyCertificateSignature } from '#formats/x509/certificate-signature'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { isSelfIssued } from '#formats/x509/self-issued'
import { CliError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { asText, parseInput } from '../read-input.js'
import { readCertificates } from '../trust.js'

export interface CertificateFlags {
  readonly certificate: string | undefined
  readonly 'certificate-chain': string | undefined
}

/**
 * The chain that goes with signatures: the leaf and what is between it and the root. The root stays at home: verifiers
 * believe their own. Every certificate must be signed by the next one.
 * @throws {@link CliError} `CLI_INPUT`
 */
export async function loadKeyCertificates(host: Host, flags: CertificateFlags): Promise<readonly Uint8Array[]> {
  const [leafPath, chainPath] = [flags.certificate, flags['certificate-chain']]
  if (leafPath === undefined && chainPath === undefined) return []
  if (leafPath === undefined)
    throw new CliError('CLI_INPUT', 'no leaf certificate found or provided while specifying chain', {
      expected: '--certificate FILE',
    })
  const bytes = await host.files.read(leafPath)
  const leaf = parseInput(leafPath, () => readLeaf(bytes, leafPath))
  const above = chainPath === undefined ? [] : await readCertificates(host, chainPath)
  const chain = [leaf, ...above.filter(({ der }) => !equalBytes(der, leaf.der))]
  for (const [index, certificate] of chain.entries()) {
    const issuer = chain[index + 1] ?? (isSelfIssued(certificate) ? certificate : undefined)
    if (issuer !== undefined) await requireIssuedBy(certificate, issuer)
  }
  return chain.filter((certificate) => certificate === leaf || !isSelfIssued(certificate)).map(({ der }) => der)
}

function readLeaf(bytes: Uint8Array, path: string): Certificate {
  if (bytes[0] === 0x30) return parseCertificate(bytes)
  const [first] = parsePem(asText(bytes, path))
  if (first?.label === 'CERTIFICATE') return parseCertificate(first.bytes)
  throw new CliError('CLI_INPUT', `supplied PEM file is not a certificate: ${path}`, {
    expected: 'a CERTIFICATE block',
    found: first?.label ?? 'nothing',
  })
}

async function requireIssuedBy(certificate: Certificate, issuer: Certificate): Promise<void> {
  try {
    if (!equalBytes(certificate.issuer.der, issuer.subject.der)) throw new Error('names differ')
    await verifyCertificateSignature(certificate, parsePublicKey(issuer.spki))
  } catch (cause) {
    throw new CliError('CLI_INPUT', 'unable to validate certificate chain', {
      expected: 'each certificate signed by the one after it, the leaf first and the root last',
      cause,
    })
  }
}
