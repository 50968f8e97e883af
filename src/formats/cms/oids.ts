/** Object identifiers of CMS and RFC 3161, in one place. @module */

export const CMS_OID = {
  signedData: '1.2.840.113549.1.7.2',
  tstInfo: '1.2.840.113549.1.9.16.1.4',
  contentTypeAttribute: '1.2.840.113549.1.9.3',
  messageDigestAttribute: '1.2.840.113549.1.9.4',
  signingTimeAttribute: '1.2.840.113549.1.9.5',
  signingCertificateAttribute: '1.2.840.113549.1.9.16.2.12',
  signingCertificateV2Attribute: '1.2.840.113549.1.9.16.2.47',
} as const
