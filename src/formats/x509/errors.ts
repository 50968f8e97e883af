/** What can be wrong with a certificate or a certificate request. @module */
import { CodedError } from '#errors'

export type CertificateErrorCode =
  /** The bytes are not a DER certificate of RFC 5280, or an extension in it is malformed. */
  | 'CERTIFICATE_MALFORMED'
  /** The certificate says something this reader refuses to interpret (X.509 v1 with extensions, a repeated extension). */
  | 'CERTIFICATE_UNSUPPORTED'
  /** The certificate's signature is not by the given issuer key. */
  | 'CERTIFICATE_SIGNATURE'
  /** A PEM file has no certificate in it, or something else. */
  | 'CERTIFICATE_PEM'
  /** What was asked to be put into a certificate cannot be encoded. */
  | 'CERTIFICATE_FIELD'

export class CertificateError extends CodedError<CertificateErrorCode> {
  override readonly name = 'CertificateError'
}

export type CertificateRequestErrorCode =
  /** The bytes are not a PKCS#10 certification request. */
  | 'CSR_MALFORMED'
  /** The request is not signed by the key inside it. */
  | 'CSR_SIGNATURE'

export class CertificateRequestError extends CodedError<CertificateRequestErrorCode> {
  override readonly name = 'CertificateRequestError'
}
