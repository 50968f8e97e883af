/** Object identifiers of X.509 certificates, in one place. @module */

/** Extension OIDs (RFC 5280 §4.2, RFC 6962 §3). */
export const EXTENSION = {
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  nameConstraints: '2.5.29.30',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  sctList: '1.3.6.1.4.1.11129.2.4.2',
  precertificatePoison: '1.3.6.1.4.1.11129.2.4.3',
} as const

/** Extended key usage OIDs (RFC 5280 §4.2.1.12). */
export const EKU = {
  any: '2.5.29.37.0',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  codeSigning: '1.3.6.1.5.5.7.3.3',
  timeStamping: '1.3.6.1.5.5.7.3.8',
} as const

/** The prefix of every extension that Fulcio defines. */
export const FULCIO_ARC = '1.3.6.1.4.1.57264.1'

/** The otherName type of user names such as `alice!example.com`. */
export const FULCIO_USERNAME = '1.3.6.1.4.1.57264.1.7'
