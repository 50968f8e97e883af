/**
 * `countersign/sign`: signing with an identity or a key, over ports. `globalThis.fetch` is a valid `Fetch`.
 *
 * @module
 */
export type { Fetch } from '#clients/http/fetch'
export { systemTimers } from '#clients/http/timers'
export type { AlgorithmName } from '#crypto/algorithms'
export { generatePrivateKey, privateKeyFromPem, privateKeyToPem } from '#crypto/private-key'
export type { PrivateKey, Signer } from '#crypto/private-key'
export { randomBytes } from '#crypto/random'
export { CodedError, isCodedError } from '#errors'
export { serializeBundle } from '#formats/bundle/serialize'
export { parseSigningConfig } from '#formats/signing-config/parse'
export type { SigningConfig } from '#formats/signing-config/signing-config'
export { parseTrustedRoot } from '#formats/trusted-root/parse'
export type { TrustedRoot } from '#formats/trusted-root/trusted-root'
export type { ContentToSign } from '#sign/content'
export { certifiedCredential, fixedCredential } from '#sign/credentials'
export type { Credential, CredentialSource } from '#sign/credentials'
export type {
  CertificateAuthority,
  IdentityProvider,
  TimestampAuthority,
  TransparencyLog,
  Witnesses,
} from '#sign/ports'
export { attestationStatement } from '#sign/predicate'
export { selectSigningServices } from '#sign/select-services'
export { selfCheck } from '#sign/self-check'
export { fulcioAuthority, rekorLog, rfc3161Authority } from '#sign/services'
export { signContent } from '#sign/sign'
export type { SigningResult, SigningSession } from '#sign/sign'
export type { Clock, UnixMillis } from '#time'
