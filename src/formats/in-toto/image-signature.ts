/** The statement that is cosign's signature on an image since version 3. @module */
import { STATEMENT_V1 } from './statement.js'

/** What makes a statement a signature on an image: an SBOM by the same person is none. */
export const SIGN_PREDICATE_TYPE = 'https://sigstore.dev/cosign/sign/v1'

/**
 * The statement for an image. As cosign writes it, the subject has no name, and always annotations.
 * @param digest hexadecimal SHA-256 of the manifest
 */
export function imageSignatureStatement(digest: string, annotations: ReadonlyMap<string, string>): string {
  return JSON.stringify({
    _type: STATEMENT_V1,
    subject: [{ digest: { sha256: digest }, annotations: Object.fromEntries(annotations) }],
    predicateType: SIGN_PREDICATE_TYPE,
    predicate: {},
  })
}
