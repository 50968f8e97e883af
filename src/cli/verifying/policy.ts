/** From flags to the policy of a verification: who must have signed. @module */
import { type Algorithm, ALGORITHMS, defaultAlgorithm } from '#crypto/algorithms'
import { FULCIO_CLAIMS } from '#formats/x509/fulcio-extensions'
import type { IdentityRequirement, Policy, RequirableClaim, TextRequirement } from '#verify/identity/identity-policy'
import { compilePattern } from '#verify/pattern/pattern'
import type { KnownKey } from '../keys/services.js'
import { UsageError } from '../kit/errors.js'

/** What the identity flags say. */
export interface IdentityFlags {
  readonly 'certificate-identity': readonly string[]
  readonly 'certificate-identity-regexp': readonly string[]
  readonly 'certificate-oidc-issuer': readonly string[]
  readonly 'certificate-oidc-issuer-regexp': readonly string[]
  readonly 'certificate-extension': readonly string[]
  readonly 'certificate-github-workflow-trigger': string | undefined
  readonly 'certificate-github-workflow-sha': string | undefined
  readonly 'certificate-github-workflow-name': string | undefined
  readonly 'certificate-github-workflow-repository': string | undefined
  readonly 'certificate-github-workflow-ref': string | undefined
}

/** With which digest a key signs, where that is said. */
export type SignatureDigest = 'sha224' | 'sha256' | 'sha384' | 'sha512'

export interface PolicyFlags extends IdentityFlags {
  readonly 'signature-digest-algorithm': SignatureDigest | undefined
}

const GITHUB_FLAGS = {
  'certificate-github-workflow-trigger': 'githubWorkflowTrigger',
  'certificate-github-workflow-sha': 'githubWorkflowSha',
  'certificate-github-workflow-name': 'githubWorkflowName',
  'certificate-github-workflow-repository': 'githubWorkflowRepository',
  'certificate-github-workflow-ref': 'githubWorkflowRef',
} as const satisfies Record<string, RequirableClaim>

const INSPECT =
  "to determine which to use, inspect the bundle's 'verificationMaterial' field: a certificate needs an identity, a publicKey needs a key"

/**
 * The policy of a command line: a key, or one or several identities.
 * @throws {@link UsageError} if it says neither, both, or an identity without an issuer.
 */
export function policyFromFlags(flags: PolicyFlags, known: KnownKey | undefined): Policy {
  const identities = texts(flags, 'certificate-identity')
  const issuers = texts(flags, 'certificate-oidc-issuer')
  if (known !== undefined) {
    if (identities.length + issuers.length + requiredClaims(flags).length > 0) throw keyOrIdentity('both')
    return { kind: 'key', key: known.key, ...algorithmOf(known, flags['signature-digest-algorithm']) }
  }
  if (flags['signature-digest-algorithm'] !== undefined) {
    throw new UsageError('USAGE_FLAG_CONFLICT', '--signature-digest-algorithm belongs to --key', {
      hint: 'leave it out: the certificate says which key it is for, and the key which digest',
    })
  }
  if (identities.length === 0 && issuers.length === 0) throw keyOrIdentity('neither')
  if (identities.length === 0) throw missing('--certificate-identity or --certificate-identity-regexp')
  if (issuers.length === 0) throw missing('--certificate-oidc-issuer or --certificate-oidc-issuer-regexp')
  if (issuers.length !== 1 && issuers.length !== identities.length) {
    throw new UsageError('USAGE_FLAG_CONFLICT', 'it is not clear which issuer belongs to which identity', {
      expected: 'one issuer for all identities, or one for each',
      found: `${String(identities.length)} identities and ${String(issuers.length)} issuers`,
    })
  }
  const claims = Object.fromEntries(requiredClaims(flags))
  const anyOf = identities.map((subject, index): IdentityRequirement => {
    const issuer = issuers[index] ?? issuers[0]
    if (issuer === undefined) throw missing('--certificate-oidc-issuer')
    return { subject, issuer, claims }
  })
  return { kind: 'identities', anyOf }
}

/** The one algorithm that the digest leaves; Ed25519 has its digest built in and leaves nothing to choose. */
function algorithmOf(
  { key, algorithm: only }: KnownKey,
  digest: SignatureDigest | undefined,
): { readonly algorithm?: Algorithm } {
  if (only !== undefined && (digest === undefined || only.digest === digest)) return { algorithm: only }
  if (digest === undefined || key.keyType === 'ed25519' || key.keyType.startsWith('ml-dsa')) return {}
  const usual = defaultAlgorithm(key)
  const algorithms = [usual, ...Object.values(ALGORITHMS).filter(({ keyType }) => keyType === key.keyType)]
  const algorithm = algorithms.find((each) => each.digest === digest && each.family === usual.family)
  if (algorithm !== undefined && only === undefined) return { algorithm }
  throw new UsageError('USAGE_FLAG_CONFLICT', `no signature algorithm of Sigstore uses this key with ${digest}`, {
    expected: `${String((only ?? usual).digest)}, or no --signature-digest-algorithm: it follows from the key`,
    found: digest,
  })
}

type TextFlag = 'certificate-identity' | 'certificate-oidc-issuer'

function texts(flags: IdentityFlags, name: TextFlag): readonly TextRequirement[] {
  const [exact, patterns] = [flags[name], flags[`${name}-regexp`]]
  if (exact.length > 0 && patterns.length > 0) {
    throw new UsageError('USAGE_FLAG_CONFLICT', `--${name} and --${name}-regexp cannot be given together`, {
      hint: 'a pattern can spell out alternatives: a|b',
    })
  }
  return [
    ...exact.map((text) => ({ exact: text })),
    ...patterns.map((source) => ({ unsafePattern: compilePattern(source) })),
  ]
}

function requiredClaims(flags: IdentityFlags): readonly (readonly [RequirableClaim, TextRequirement])[] {
  const github = Object.entries(GITHUB_FLAGS).flatMap(([flag, claim]) => {
    const value = flags[flag as keyof typeof GITHUB_FLAGS]
    return value === undefined ? [] : [[claim, { exact: value }] as const]
  })
  return [...github, ...flags['certificate-extension'].map(readExtensionFlag)]
}

function readExtensionFlag(text: string): readonly [RequirableClaim, TextRequirement] {
  const equals = text.indexOf('=')
  const [name, value] = [text.slice(0, Math.max(0, equals)), text.slice(equals + 1)]
  const claim = CLAIMS_BY_NAME.get(name)
  if (claim !== undefined && value !== '') return [claim, { exact: value }]
  throw new UsageError(
    'USAGE_FLAG_VALUE',
    `invalid argument ${JSON.stringify(text)} for "--certificate-extension" flag`,
    {
      expected: `NAME=VALUE, where NAME is an OID below 1.3.6.1.4.1.57264.1 or one of ${extensionNames().join(', ')}`,
    },
  )
}

/** Names that `--certificate-extension` takes, such as `source-repository-uri`. */
export function extensionNames(): readonly string[] {
  return [...CLAIMS_BY_NAME.keys()].filter((name) => !name.startsWith('1.'))
}

const CLAIMS_BY_NAME: ReadonlyMap<string, RequirableClaim> = new Map(
  FULCIO_CLAIMS.flatMap(({ claim, oid }) => {
    if (claim === 'issuer' || claim === 'issuerV1') return []
    return [[claim.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), claim] as const, [oid, claim] as const]
  }),
)

function keyOrIdentity(found: string): UsageError {
  return new UsageError(
    found === 'both' ? 'USAGE_FLAG_CONFLICT' : 'USAGE_FLAG_MISSING',
    'exactly one of: key reference (--key) or certificate identity (--certificate-identity or --certificate-identity-regexp, with an issuer), must be provided',
    { found, hint: INSPECT },
  )
}

function missing(flags: string): UsageError {
  return new UsageError('USAGE_FLAG_MISSING', `${flags} is required for verification in keyless mode`)
}
