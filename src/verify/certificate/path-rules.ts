/**
 * What RFC 5280 §6.1 asks of the certificates of a path besides their signatures and times.
 *
 * @module
 */
import { equalBytes } from '#encoding/bytes'
import type { Certificate } from '#formats/x509/certificate'
import type { GeneralName } from '#formats/x509/general-name'
import { nameConstraintViolation } from '#formats/x509/name-constraints'
import { EKU, EXTENSION } from '#formats/x509/oids'
import { VerificationError } from '../errors.js'

/** What a certificate is to be used for. */
export type CertificatePurpose = 'code-signing' | 'time-stamping'

/** The extensions whose meaning is enforced here; any other critical one must be refused (RFC 5280 §4.2). */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION.basicConstraints,
  EXTENSION.keyUsage,
  EXTENSION.extendedKeyUsage,
  EXTENSION.subjectAltName,
  EXTENSION.nameConstraints,
  EXTENSION.subjectKeyId,
  EXTENSION.authorityKeyId,
])

const PURPOSE_OID = { 'code-signing': EKU.codeSigning, 'time-stamping': EKU.timeStamping } as const

/**
 * Checks everything about a path that does not depend on time: leaf first, trust anchor last, signatures already verified.
 * @throws VerificationError `VERIFY_CERTIFICATE_PATH`
 */
export function checkPathRules(path: readonly Certificate[], purpose: CertificatePurpose): void {
  const [leaf, ...authorities] = path
  if (leaf === undefined || authorities.length === 0) throw refuse('a path needs a leaf and an authority')
  for (const certificate of path) refuseUnknownCritical(certificate)
  LEAF_RULES[purpose](leaf)
  // RFC 5280 §4.2.1.9: pathLen counts the intermediates below, self-issued ones apart.
  let intermediates = 0
  authorities.forEach((authority, index) => {
    checkAuthority(authority, purpose, intermediates)
    checkNames(authority, path.slice(0, index + 1))
    if (!equalBytes(authority.issuer.der, authority.subject.der)) intermediates++
  })
}

function refuseUnknownCritical(certificate: Certificate): void {
  for (const { oid, critical } of certificate.extensions.values()) {
    if (!critical || UNDERSTOOD.has(oid)) continue
    throw refuse('a certificate has a critical extension that is not understood', {
      expected: 'extensions that this verifier enforces',
      found: `${oid} in ${describe(certificate)}`,
    })
  }
}

const LEAF_RULES: Readonly<Record<CertificatePurpose, (leaf: Certificate) => void>> = {
  'code-signing': (leaf) => {
    refuseAuthorityAsLeaf(leaf)
    if (leaf.keyUsage?.has('digitalSignature') !== true) {
      throw refuse('the certificate is not for digital signatures', {
        expected: 'key usage digitalSignature',
        found: usages(leaf),
      })
    }
    // anyExtendedKeyUsage would make every certificate of the same authority a signing certificate.
    if (leaf.extendedKeyUsage?.includes(EKU.codeSigning) !== true) {
      throw refuse('the certificate is not for signing code', {
        expected: `extended key usage ${EKU.codeSigning} (codeSigning)`,
        found: leaf.extendedKeyUsage?.join(', ') ?? 'none',
      })
    }
  },
  'time-stamping': (leaf) => {
    refuseAuthorityAsLeaf(leaf)
    // RFC 3161 §2.3: this one purpose, and critical.
    const [purpose, ...others] = leaf.extendedKeyUsage ?? []
    const critical = leaf.extensions.get(EXTENSION.extendedKeyUsage)?.critical === true
    if (purpose !== EKU.timeStamping || others.length > 0 || !critical) {
      throw refuse('the certificate is not (only) for time-stamping', {
        expected: `one critical extended key usage ${EKU.timeStamping} (timeStamping)`,
        found:
          leaf.extendedKeyUsage === undefined
            ? 'none'
            : `${leaf.extendedKeyUsage.join(', ')}${critical ? '' : ', not critical'}`,
      })
    }
    if (
      leaf.keyUsage !== undefined &&
      !leaf.keyUsage.has('digitalSignature') &&
      !leaf.keyUsage.has('contentCommitment')
    ) {
      throw refuse('the certificate is not for signatures', {
        expected: 'key usage digitalSignature',
        found: usages(leaf),
      })
    }
  },
}

function refuseAuthorityAsLeaf(leaf: Certificate): void {
  if (leaf.basicConstraints?.ca !== true && leaf.keyUsage?.has('keyCertSign') !== true) return
  throw refuse('the certificate is an authority’s own, not a signer’s', {
    expected: 'an end-entity certificate',
    found: describe(leaf),
  })
}

function checkAuthority(authority: Certificate, purpose: CertificatePurpose, intermediatesBelow: number): void {
  if (authority.basicConstraints?.ca !== true) {
    throw refuse('the issuer is not a certificate authority', {
      expected: 'basic constraints with CA:TRUE',
      found: describe(authority),
    })
  }
  const { pathLength } = authority.basicConstraints
  if (pathLength !== undefined && intermediatesBelow > pathLength) {
    throw refuse('the path is longer than an authority in it allows', {
      expected: `at most ${String(pathLength)} intermediates below ${describe(authority)}`,
      found: String(intermediatesBelow),
    })
  }
  if (authority.keyUsage !== undefined && !authority.keyUsage.has('keyCertSign')) {
    throw refuse('the issuer may not sign certificates', {
      expected: 'key usage keyCertSign',
      found: usages(authority),
    })
  }
  const purposes = authority.extendedKeyUsage
  if (purposes !== undefined && !purposes.includes(PURPOSE_OID[purpose]) && !purposes.includes(EKU.any)) {
    throw refuse(`the issuer may not certify for ${purpose}`, {
      expected: PURPOSE_OID[purpose],
      found: purposes.join(', '),
    })
  }
}

/** RFC 5280 §6.1.3 (b), (c): every name below an authority must be allowed by its constraints. */
function checkNames(authority: Certificate, below: readonly Certificate[]): void {
  const { nameConstraints } = authority
  if (nameConstraints === undefined) return
  for (const certificate of below) {
    for (const name of namesOf(certificate)) {
      const violation = nameConstraintViolation(nameConstraints, name)
      if (violation === undefined) continue
      throw refuse('a name is outside of what its authority may certify', {
        expected: `a name that ${describe(authority)} is allowed`,
        found: violation,
      })
    }
  }
}

function namesOf(certificate: Certificate): readonly GeneralName[] {
  const names = certificate.subjectAltNames ?? []
  return certificate.subject.text === '' ? names : [...names, { kind: 'directory', value: certificate.subject }]
}

/** A certificate in a message. */
export function describe(certificate: Certificate): string {
  return certificate.subject.text === ''
    ? `a certificate issued by ${certificate.issuer.text}`
    : certificate.subject.text
}

function usages(certificate: Certificate): string {
  return certificate.keyUsage === undefined ? 'none' : [...certificate.keyUsage].join(', ')
}

function refuse(message: string, detail: { expected?: string; found?: string } = {}): VerificationError {
  return new VerificationError('VERIFY_CERTIFICATE_PATH', message, detail)
}
