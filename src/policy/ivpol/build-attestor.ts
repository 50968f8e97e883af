/** The attestor that a review is judged by: what the policy says, with what its expressions gave. @module */
import { publicKeyFromPem } from '#crypto/public-key'
import { parseTrustedRoot } from '#formats/trusted-root/parse'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { DEFAULT_TRUST } from '../internal/attestor.js'
import type { Attestor, Signer, TextMatch, TrustPart, TrustSource } from '../internal/attestor.js'
import { PolicyError } from '../internal/policy-error.js'
import type { ReadCosign, ReadSigner } from './attestors.js'
import { identityOf } from './identities.js'
import { anchorsOf, readCertificates, readLog, stampingAuthorities } from './pem.js'

/** Texts that a policy has, or that its expressions gave. */
export interface AttestorTexts {
  readonly key: string | undefined
  readonly certificate: string | undefined
  readonly chain: string | undefined
  readonly trustedRoot: string | undefined
  /** The subjects of identities that have an expression for it, by index. */
  readonly subjects: ReadonlyMap<number, TextMatch>
}

/** A trusted root in a policy may be of some hundred logs and authorities, and not of thousands. */
const MAX_TRUSTED_ROOT = 1 << 20

/**
 * Puts an attestor together.
 * @throws PolicyError `POLICY_KEY`, `POLICY_ATTESTOR` and what reading a trusted root throws
 */
export function buildAttestor(
  name: string,
  cosign: ReadCosign,
  { texts, repository }: { readonly texts: AttestorTexts; readonly repository: TrustedRoot | undefined },
): Attestor {
  const { evidence, source, annotations } = cosign
  return {
    name,
    signer: signerOf(cosign.signer, texts),
    trust: trustOf(cosign, texts, repository),
    evidence,
    source,
    annotations,
  }
}

function signerOf(signer: ReadSigner, { key, certificate, chain, subjects }: AttestorTexts): Signer {
  switch (signer.kind) {
    case 'key':
      if (signer.kms !== undefined)
        return { kind: 'key', source: { kind: 'kms', uri: signer.kms }, digest: signer.digest }
      return {
        kind: 'key',
        source: { kind: 'inline', key: publicKeyFromPem(needed(key, 'key')) },
        digest: signer.digest,
      }
    case 'keyless':
      return {
        kind: 'keyless',
        anyOf: signer.identities.map((identity, index) => {
          const subject = subjects.get(index)
          return identityOf(identity, subject === undefined ? [] : [subject])
        }),
      }
    case 'certificate': {
      if (certificate === undefined && chain === undefined) throw nobody('certificate')
      const [own] = certificate === undefined ? [] : readCertificates(certificate)
      return { kind: 'certificate', certificate: own, chain: chain === undefined ? [] : readCertificates(chain) }
    }
  }
}

function trustOf(cosign: ReadCosign, { trustedRoot }: AttestorTexts, repository: TrustedRoot | undefined): TrustSource {
  const { signer, logKey, logUrl, certificateLogKey, stampingChain } = cosign
  const root = trustedRoot === undefined ? repository : readTrustedRoot(trustedRoot)
  const base: TrustSource =
    root === undefined
      ? DEFAULT_TRUST
      : {
          certificateAuthorities: own(root.certificateAuthorities),
          ctlogs: own(root.ctlogs),
          tlogs: own(root.tlogs),
          timestampAuthorities: own(root.timestampAuthorities),
        }
  const roots = signer.kind === 'keyless' ? signer.roots : undefined
  return {
    certificateAuthorities: roots === undefined ? base.certificateAuthorities : own(anchorsOf(readCertificates(roots))),
    ctlogs: certificateLogKey === undefined ? base.ctlogs : own([readLog(certificateLogKey, '')]),
    tlogs: logKey === undefined ? base.tlogs : own([readLog(logKey, logUrl)]),
    timestampAuthorities:
      stampingChain === undefined
        ? base.timestampAuthorities
        : own(stampingAuthorities(readCertificates(stampingChain))),
  }
}

function readTrustedRoot(text: string): TrustedRoot {
  if (text.length <= MAX_TRUSTED_ROOT) return parseTrustedRoot(text)
  throw new PolicyError('POLICY_TRUST_ROOT', 'inline trustedRoot JSON is too large', {
    expected: `at most ${String(MAX_TRUSTED_ROOT)} bytes`,
    found: String(text.length),
  })
}

function own<T>(values: readonly T[]): TrustPart<T> {
  return { kind: 'own', values }
}

function needed(text: string | undefined, what: string): string {
  if (text === undefined) throw nobody(what)
  return text
}

function nobody(what: string): PolicyError {
  return new PolicyError('POLICY_ATTESTOR', `there is no ${what}`)
}
