/**
 * `countersign/verify`: verifying bundles against a trusted root and a policy. No I/O, no clock.
 *
 * @module
 */
export { CodedError, isCodedError } from '#errors'
export type { UnixMillis } from '#time'
export { parsePublicKey, publicKeyFromPem } from '#crypto/public-key'
export type { PublicKey } from '#crypto/public-key'
export { parseBundle } from '#formats/bundle/parse'
export type { BundleOptions, ParsedBundle } from '#formats/bundle/parse'
export type { SignedEntity } from '#formats/signed-entity'
export { parseTrustedRoot } from '#formats/trusted-root/parse'
export type { TrustedRoot } from '#formats/trusted-root/trusted-root'
export type { Artifact } from '#verify/artifact'
export { VerificationError } from '#verify/errors'
export type { VerificationErrorCode } from '#verify/errors'
export type { IdentityPolicy, IdentityRequirement, KeyPolicy, Policy } from '#verify/identity/identity-policy'
export { verifyAttestationClaims, verifyImageClaims } from '#verify/image/image-claims'
export { compilePattern } from '#verify/pattern/pattern'
export type { CheckResult, Report } from '#verify/report'
export type { Requirements } from '#verify/requirements'
export type { Verification } from '#verify/verification'
export { verify } from '#verify/verify'
export type { VerifyRequest } from '#verify/verify'
