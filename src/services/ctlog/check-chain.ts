/** Which chains a CT log accepts: whole ones, in order, up to a root that it knows (RFC 6962 §3.1). @module */
import { equalBytes } from '#encoding/bytes'
import { TAG, readDer } from '#encoding/der'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import { precertEntry } from '#formats/sct/sct-entry'
import type { SctEntry } from '#formats/sct/sct-entry'
import type { Certificate } from '#formats/x509/certificate'
import { certificateKey } from '#formats/x509/certificate-key'
import { verifyCertificateSignature } from '#formats/x509/certificate-signature'
import { EXTENSION } from '#formats/x509/oids'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { CtLogError } from './errors.js'

/** A submission that is accepted. */
export interface CheckedChain {
  readonly entry: SctEntry
  /** The precertificate itself, if it is one. */
  readonly precertificate: Uint8Array | undefined
  /** Who issued it, up to and with the root. */
  readonly issuers: readonly Uint8Array[]
}

/** RFC 6962 §3.1: a certificate that only signs precertificates in the place of the real issuer. */
const PRECERTIFICATE_SIGNING = '1.3.6.1.4.1.11129.2.4.4'

const MAX_CHAIN = 10

/**
 * Checks a submitted chain. Times are not checked: what has expired may be logged, and Fulcio's certificates live for minutes.
 * @throws CtLogError `CTLOG_CHAIN`, `CTLOG_ROOT_UNKNOWN`, `CTLOG_PRECERT`, `CTLOG_CERT`
 */
export async function checkChain(
  submitted: readonly Uint8Array[],
  kind: SctEntry['kind'],
  roots: readonly Certificate[],
): Promise<CheckedChain> {
  const chain = await completeChain(parseChain(submitted), roots)
  const [leaf, issuer] = chain
  if (leaf === undefined || issuer === undefined)
    throw new CtLogError('CTLOG_CHAIN', 'the chain has nothing below the root')
  const issuers = chain.slice(1).map(({ der }) => der)
  const poison = leaf.extensions.get(EXTENSION.precertificatePoison)
  if (kind === 'x509') {
    if (poison !== undefined)
      throw new CtLogError('CTLOG_PRECERT', 'this is a precertificate', { hint: 'use add-pre-chain' })
    return { entry: { kind: 'x509', certificate: leaf.der }, precertificate: undefined, issuers }
  }
  if (poison === undefined)
    throw new CtLogError('CTLOG_CERT', 'this is not a precertificate', { hint: 'use add-chain' })
  if (!poison.critical || !isNull(poison.value)) {
    throw new CtLogError('CTLOG_PRECERT', 'the poison extension is not critical, or not NULL', {
      expected: 'RFC 6962 §3.1',
    })
  }
  if (issuer.extendedKeyUsage?.includes(PRECERTIFICATE_SIGNING) === true) {
    throw new CtLogError('CTLOG_PRECERT', 'precertificate signing certificates are not supported', {
      hint: 'sign the precertificate with the issuer itself',
    })
  }
  return { entry: precertEntry(leaf, issuer.spki), precertificate: leaf.der, issuers }
}

/** Reads the roots that a log is told to accept. @throws CertificateError */
export function parseRoots(roots: readonly Uint8Array[]): readonly Certificate[] {
  return roots.map((root) => parseCertificate(root))
}

function parseChain(submitted: readonly Uint8Array[]): readonly Certificate[] {
  if (submitted.length === 0 || submitted.length > MAX_CHAIN) {
    throw new CtLogError('CTLOG_CHAIN', 'the chain is empty or too long', {
      expected: `1 to ${String(MAX_CHAIN)} certificates`,
      found: String(submitted.length),
    })
  }
  return submitted.map((der, at) => {
    try {
      return parseCertificate(der)
    } catch (cause) {
      if (!isCodedError(cause)) throw cause
      throw new CtLogError('CTLOG_CHAIN', `certificate ${String(at)} of the chain cannot be read: ${cause.message}`, {
        cause,
      })
    }
  })
}

/** The chain with its root, each certificate signed by the next. */
async function completeChain(
  chain: readonly Certificate[],
  roots: readonly Certificate[],
): Promise<readonly Certificate[]> {
  for (const [at, issuer] of chain.slice(1).entries()) {
    const subject = chain[at]
    if (subject === undefined || !(await isIssuedBy(subject, issuer))) {
      throw new CtLogError('CTLOG_CHAIN', `certificate ${String(at)} is not issued by the one after it`)
    }
  }
  const last = chain.at(-1)
  if (last === undefined) throw new CtLogError('CTLOG_CHAIN', 'the chain is empty')
  if (roots.some((root) => equalBytes(root.der, last.der))) return chain
  for (const root of roots) if (await isIssuedBy(last, root)) return [...chain, root]
  throw new CtLogError('CTLOG_ROOT_UNKNOWN', 'the chain does not lead to a root that this log accepts', {
    expected: `an issuer with a name in get-roots (${String(roots.length)})`,
    found: encodeHex(last.issuer.der).slice(0, 120),
  })
}

async function isIssuedBy(subject: Certificate, issuer: Certificate): Promise<boolean> {
  if (issuer.basicConstraints?.ca !== true || !equalBytes(subject.issuer.der, issuer.subject.der)) return false
  try {
    await verifyCertificateSignature(subject, certificateKey(issuer))
    return true
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

function isNull(value: Uint8Array): boolean {
  try {
    return readDer(value, TAG.NULL).content.length === 0
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}
