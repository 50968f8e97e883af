/** The claims that Fulcio writes into a certificate, 1.3.6.1.4.1.57264.1.1 to .24 (sigstore/fulcio docs/oid-info.md). @module */
import { TAG, readDer } from '#encoding/der'
import { decodeUtf8 } from '#encoding/utf8'
import { FULCIO_ARC } from './oids.js'

/** `raw`: the extension value is the text itself. `der`: it is a DER UTF8String. */
type ClaimEncoding = 'raw' | 'der'

interface FulcioClaimRow {
  readonly arc: number
  readonly encoding: ClaimEncoding
}

/** Claim → last arc of its OID and its encoding. .7 is no extension but the otherName type of user names. */
const CLAIMS = {
  issuerV1: { arc: 1, encoding: 'raw' },
  githubWorkflowTrigger: { arc: 2, encoding: 'raw' },
  githubWorkflowSha: { arc: 3, encoding: 'raw' },
  githubWorkflowName: { arc: 4, encoding: 'raw' },
  githubWorkflowRepository: { arc: 5, encoding: 'raw' },
  githubWorkflowRef: { arc: 6, encoding: 'raw' },
  issuer: { arc: 8, encoding: 'der' },
  buildSignerUri: { arc: 9, encoding: 'der' },
  buildSignerDigest: { arc: 10, encoding: 'der' },
  runnerEnvironment: { arc: 11, encoding: 'der' },
  sourceRepositoryUri: { arc: 12, encoding: 'der' },
  sourceRepositoryDigest: { arc: 13, encoding: 'der' },
  sourceRepositoryRef: { arc: 14, encoding: 'der' },
  sourceRepositoryIdentifier: { arc: 15, encoding: 'der' },
  sourceRepositoryOwnerUri: { arc: 16, encoding: 'der' },
  sourceRepositoryOwnerIdentifier: { arc: 17, encoding: 'der' },
  buildConfigUri: { arc: 18, encoding: 'der' },
  buildConfigDigest: { arc: 19, encoding: 'der' },
  buildTrigger: { arc: 20, encoding: 'der' },
  runInvocationUri: { arc: 21, encoding: 'der' },
  sourceRepositoryVisibilityAtSigning: { arc: 22, encoding: 'der' },
  deploymentEnvironment: { arc: 23, encoding: 'der' },
  tokenSubject: { arc: 24, encoding: 'der' },
} as const

/** A claim's name, as used in policies and reports. */
export type FulcioClaim = keyof typeof CLAIMS

/** The claims of one certificate. `issuerV1` is .1, `issuer` is .8: read them through {@link fulcioIssuer}. */
export type FulcioExtensions = { readonly [Claim in FulcioClaim]?: string }

/** One row of the table, for those who write certificates, flags or documentation. */
export interface FulcioClaimInfo {
  readonly claim: FulcioClaim
  readonly oid: string
  readonly encoding: ClaimEncoding
}

/** Every claim in the order in which Fulcio writes them. */
export const FULCIO_CLAIMS: readonly FulcioClaimInfo[] = (
  Object.entries(CLAIMS) as readonly [FulcioClaim, FulcioClaimRow][]
).map(([claim, { arc, encoding }]) => ({ claim, oid: `${FULCIO_ARC}.${String(arc)}`, encoding }))

const BY_OID: ReadonlyMap<string, FulcioClaimInfo> = new Map(FULCIO_CLAIMS.map((row) => [row.oid, row]))

/** The claim behind an extension OID, if it is one. */
export function fulcioClaimByOid(oid: string): FulcioClaimInfo | undefined {
  return BY_OID.get(oid)
}

/** The OIDC issuer: .8 where it is present, else the older .1. */
export function fulcioIssuer(extensions: FulcioExtensions): string | undefined {
  return extensions.issuer ?? extensions.issuerV1
}

/**
 * Decodes one claim's extension value.
 * @throws DerError, EncodingError if the value is not what its OID says.
 */
export function readFulcioClaim(info: FulcioClaimInfo, value: Uint8Array): string {
  // .1–.6 have no DER wrapper: a reader that guessed by looking for a tag 0x0C could be lied to.
  return decodeUtf8(info.encoding === 'raw' ? value : readDer(value, TAG.UTF8_STRING).content)
}
