/** What can go wrong at the certificate authority, and Fulcio's own answers to it. @module */
import type { CodedError } from '#errors'
import { CodedError as Base } from '#errors'
import type { ProtojsonErrorCode } from '#encoding/protojson'
import type { BodyErrorCode } from '#serving/body'
import { BODY_PROBLEMS, grpcShape } from '#serving/problems'
import type { ProblemShape, ProblemTable } from '#serving/problems'

export type IssuingErrorCode =
  /** The identity token is not a signed JWT, or has claims that cannot be read. */
  | 'ISSUING_TOKEN'
  /** The token's issuer is not one that this authority knows. */
  | 'ISSUING_TOKEN_ISSUER'
  /** The issuer's keys could not be fetched. */
  | 'ISSUING_DISCOVERY'
  /** The token is not signed by its issuer. */
  | 'ISSUING_TOKEN_SIGNATURE'
  /** The token is for another audience. */
  | 'ISSUING_TOKEN_AUDIENCE'
  /** The token has expired, or is not valid yet. */
  | 'ISSUING_TOKEN_TIME'
  /** The token's claims do not name an identity of the kind that its issuer is configured for. */
  | 'ISSUING_IDENTITY'
  /** The public key in the request cannot be read. */
  | 'ISSUING_PUBLIC_KEY'
  /** The public key in the request is of a kind or size that is not secure. */
  | 'ISSUING_KEY_INSECURE'
  /** The certificate signing request cannot be read. */
  | 'ISSUING_CSR'
  /** The signature in the request does not prove that the requester has the private key. */
  | 'ISSUING_PROOF'
  /** The key and the hash of the signing request are no permitted pair. */
  | 'ISSUING_ALGORITHM'
  /** The identity cannot be written into a certificate. */
  | 'ISSUING_CERTIFICATE'
  /** The CT log did not take the precertificate, or its SCT does not verify. */
  | 'ISSUING_CT_LOG'
  /** The authority's own certificate is not valid at this time. */
  | 'ISSUING_AUTHORITY'

/** No certificate is issued. Never holds the token or a part of it. */
export class IssuingError extends Base<IssuingErrorCode> {
  override readonly name = 'IssuingError'
}

export type FulcioConfigErrorCode =
  /** The configuration is neither YAML nor JSON of Fulcio's form. */
  | 'FULCIO_CONFIG_FORMAT'
  /** An issuer of the configuration contradicts the rules of its type. */
  | 'FULCIO_CONFIG_ISSUER'
  /** A template of the configuration is not in the supported part of Go's text/template. */
  | 'FULCIO_CONFIG_TEMPLATE'
  /** The key or chain that the authority was started with cannot issue code-signing certificates. */
  | 'FULCIO_CONFIG_CHAIN'

/** The authority cannot start. */
export class FulcioConfigError extends Base<FulcioConfigErrorCode> {
  override readonly name = 'FulcioConfigError'
}

const TOKEN = 'There was an error processing the identity token'

/** Statuses and texts of fulcio's pkg/server/error.go: 400 for every fault of the caller, 401 never. */
export const PROBLEMS: ProblemTable<IssuingErrorCode | BodyErrorCode | ProtojsonErrorCode> = {
  ...BODY_PROBLEMS,
  PROTOJSON_TYPE: { status: 400 },
  PROTOJSON_MISSING: { status: 400 },
  PROTOJSON_UNKNOWN_FIELD: { status: 400 },
  PROTOJSON_DUPLICATE_FIELD: { status: 400 },
  PROTOJSON_ONEOF: { status: 400 },
  PROTOJSON_VALUE: { status: 400 },
  ISSUING_TOKEN: { status: 400, title: TOKEN },
  ISSUING_TOKEN_ISSUER: { status: 400, title: TOKEN },
  ISSUING_DISCOVERY: { status: 400, title: TOKEN },
  ISSUING_TOKEN_SIGNATURE: { status: 400, title: TOKEN },
  ISSUING_TOKEN_AUDIENCE: { status: 400, title: TOKEN },
  ISSUING_TOKEN_TIME: { status: 400, title: TOKEN },
  ISSUING_IDENTITY: { status: 400, title: TOKEN },
  ISSUING_PUBLIC_KEY: { status: 400, title: 'The public key supplied in the request could not be parsed' },
  ISSUING_KEY_INSECURE: { status: 400, title: 'The public key supplied in the request is insecure' },
  ISSUING_CSR: { status: 400, title: 'The certificate signing request could not be parsed' },
  ISSUING_PROOF: { status: 400, title: 'The signature supplied in the request could not be verified' },
  ISSUING_ALGORITHM: { status: 400 },
  ISSUING_CERTIFICATE: { status: 400 },
  ISSUING_CT_LOG: { status: 500, title: 'Error entering certificate in CTL' },
  ISSUING_AUTHORITY: { status: 500, title: 'error communicating with CA backend' },
}

/**
 * Fulcio's body, and beside its fixed sentence what was really wrong, as a google.rpc.ErrorInfo: the place that gRPC has for it
 * and that clients which do not know it skip. Faults of the server stay between it and its log.
 */
export const fulcioShape: ProblemShape = (detail) => {
  const body = grpcShape(detail) as Readonly<Record<string, unknown>>
  return detail.status >= 500 ? body : { ...body, details: [errorInfo(detail.code, detail.error)] }
}

function errorInfo(reason: string, { message, expected, found, hint }: CodedError): Readonly<Record<string, unknown>> {
  const metadata = Object.fromEntries(
    Object.entries({ message, expected, found, hint }).filter(([, value]) => value !== undefined),
  )
  return { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'countersign', metadata }
}
