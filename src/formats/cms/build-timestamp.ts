/** RFC 3161 messages, written: requests, and responses signed as sigstore's timestamp-authority signs them. @module */
import { encodeDigestAlgorithm, encodeSignatureAlgorithm } from '#crypto/algorithm-identifiers'
import type { DigestName } from '#crypto/digest'
import { digest, sha256 } from '#crypto/digest'
import type { Signer } from '#crypto/private-key'
import { concatBytes } from '#encoding/bytes'
import { TAG } from '#encoding/der'
import {
  der,
  derBitString,
  derBoolean,
  derExplicit,
  derGeneralizedTime,
  derImplicit,
  derInteger,
  derOctetString,
  derOid,
  derSequence,
  derSet,
  derTime,
  derUtf8String,
} from '#encoding/der-writer'
import type { UnixMillis } from '#time'
import type { Certificate } from '../x509/certificate.js'
import { CMS_OID } from './oids.js'
import { FAILURE_BITS } from './parse-timestamp.js'
import type { MessageImprint, TimestampRequest } from './timestamp.js'

/** What a response says about a granted time-stamp. */
export interface TstFields {
  readonly policy: string
  readonly imprint: MessageImprint
  /** Unsigned, big-endian. */
  readonly serialNumber: Uint8Array
  /** Written to the second. */
  readonly genTime: UnixMillis
  /** Whole seconds; undefined leaves it out. */
  readonly accuracySeconds: number | undefined
  /** As it stood in the request: content octets of the INTEGER. */
  readonly nonce: Uint8Array | undefined
}

/** Who signs, and what of the chain goes into the message. */
export interface TstSigner {
  readonly key: Signer
  readonly certificate: Certificate
  /** DER certificates to embed; empty when the request did not ask for them. */
  readonly embed: readonly Uint8Array[]
}

/** A TimeStampReq. */
export function encodeTimestampRequest(request: Omit<TimestampRequest, 'extensions'>): Uint8Array {
  return derSequence(
    derInteger(1),
    encodeImprint(request.imprint),
    ...(request.policy === undefined ? [] : [derOid(request.policy)]),
    ...(request.nonce === undefined ? [] : [der(TAG.INTEGER, request.nonce)]),
    ...(request.certificates ? [derBoolean(true)] : []),
  )
}

/** A granted TimeStampResp with a signed token. */
export async function buildTimestampResponse(fields: TstFields, signer: TstSigner): Promise<Uint8Array> {
  return derSequence(derSequence(derInteger(0)), await buildTimestampToken(fields, signer))
}

/** A TimeStampResp that grants nothing, with one line of text and one PKIFailureInfo name. */
export function encodeTimestampRejection(text: string, failure: string): Uint8Array {
  const bit = [...FAILURE_BITS].find(([, name]) => name === failure)?.[0] ?? 25
  const bits = new Uint8Array((bit >> 3) + 1)
  bits[bit >> 3] = 0x80 >> (bit & 7)
  return derSequence(derSequence(derInteger(2), derSequence(derUtf8String(text)), derBitString(bits, 7 - (bit & 7))))
}

/** A TimeStampToken: a CMS SignedData around a TSTInfo. */
export async function buildTimestampToken(fields: TstFields, signer: TstSigner): Promise<Uint8Array> {
  const content = encodeTstInfo(fields, signer.certificate)
  return buildSignedData({ contentType: CMS_OID.tstInfo, content, signingTime: fields.genTime }, signer)
}

/** What is signed. */
export interface SignedContent {
  readonly contentType: string
  readonly content: Uint8Array
  readonly signingTime: UnixMillis
}

/** A ContentInfo of SignedData with one signer (RFC 5652 §5). */
export async function buildSignedData(what: SignedContent, signer: TstSigner): Promise<Uint8Array> {
  const signedData = derSequence(
    derInteger(3),
    derSet(encodeDigestAlgorithm(signerDigest(signer.key))),
    derSequence(derOid(what.contentType), derExplicit(0, derOctetString(what.content))),
    ...(signer.embed.length === 0 ? [] : [derImplicit(0, concatBytes(...signer.embed), { constructed: true })]),
    derSet(await encodeSignerInfo(what, signer)),
  )
  return derSequence(derOid(CMS_OID.signedData), derExplicit(0, signedData))
}

async function encodeSignerInfo(what: SignedContent, signer: TstSigner): Promise<Uint8Array> {
  const { certificate, key } = signer
  const digestName = signerDigest(key)
  const attributes = derSet(
    attribute(CMS_OID.contentTypeAttribute, derOid(what.contentType)),
    attribute(CMS_OID.signingTimeAttribute, derTime(what.signingTime)),
    attribute(CMS_OID.messageDigestAttribute, derOctetString(digest(digestName, what.content))),
    attribute(CMS_OID.signingCertificateV2Attribute, encodeSigningCertificateV2(certificate)),
  )
  const signature = await key.sign(attributes)
  return derSequence(
    derInteger(1),
    derSequence(certificate.issuer.der, der(TAG.INTEGER, certificate.serialNumber)),
    encodeDigestAlgorithm(digestName),
    // RFC 5652 §5.4: signed as a SET, sent as [0] IMPLICIT.
    concatBytes(Uint8Array.of(0xa0), attributes.subarray(1)),
    encodeSignatureAlgorithm(key.algorithm),
    derOctetString(signature),
  )
}

/**
 * The digest of the content. OpenSSL also checks the signature over the attributes with it, so it must be the key's own;
 * RFC 8419 §2.3 has SHA-512 with Ed25519.
 */
function signerDigest(key: Signer): DigestName {
  return key.algorithm.digest ?? 'sha512'
}

function encodeTstInfo(fields: TstFields, certificate: Certificate): Uint8Array {
  return derSequence(
    derInteger(1),
    derOid(fields.policy),
    encodeImprint(fields.imprint),
    derInteger(fields.serialNumber),
    derGeneralizedTime(fields.genTime),
    ...(fields.accuracySeconds === undefined ? [] : [derSequence(derInteger(fields.accuracySeconds))]),
    ...(fields.nonce === undefined ? [] : [der(TAG.INTEGER, fields.nonce)]),
    derExplicit(0, derExplicit(4, certificate.subject.der)),
  )
}

function encodeImprint(imprint: MessageImprint): Uint8Array {
  return derSequence(encodeDigestAlgorithm(imprint.digest), derOctetString(imprint.hash))
}

function attribute(oid: string, value: Uint8Array): Uint8Array {
  return derSequence(derOid(oid), derSet(value))
}

/** SigningCertificateV2 (RFC 5035 §3) with SHA-256, which is the default and so left out, and the issuer and serial number. */
function encodeSigningCertificateV2(certificate: Certificate): Uint8Array {
  const issuerSerial = derSequence(
    derSequence(derExplicit(4, certificate.issuer.der)),
    der(TAG.INTEGER, certificate.serialNumber),
  )
  return derSequence(derSequence(derSequence(derOctetString(sha256(certificate.der)), issuerSerial)))
}
