/** The signing ports over real services. @module */
import type { RandomSource } from '#crypto/random'
import type { DigestName } from '#crypto/digest'
import { encodeUtf8 } from '#encoding/utf8'
import { requestCertificate } from '#clients/fulcio/fulcio'
import type { Fetch, Timers } from '#clients/http/fetch'
import { endpoint } from '#clients/http/service'
import { createRekorClient } from '#clients/rekor/rekor'
import { createRekorTilesClient, type RekorTilesService } from '#clients/rekor-tiles/rekor-tiles'
import { requestTimestamp } from '#clients/tsa/tsa'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import { TILE_WIDTH, tilePath } from '#formats/tlog-tiles/tile'
import type { Service } from '#formats/signing-config/signing-config'
import { readTokenClaims } from './identity-token.js'
import type { CertificateAuthority, TimestampAuthority, TransparencyLog } from './ports.js'
import { type EnvelopeEntryKind, proposeEntry } from './rekor-proposal.js'
import { SignError } from './sign-error.js'

/** Fulcio as the certificate authority. */
export function fulcioAuthority(fetch: Fetch, url: string): CertificateAuthority {
  return {
    url,
    issue: async ({ identityToken, signer, signal }) => {
      const claims = readTokenClaims(identityToken)
      const challenge = claims.email ?? claims.subject
      if (challenge === undefined) {
        throw new SignError('SIGN_TOKEN_MALFORMED', 'the identity token does not say who it is about', {
          expected: 'a verified e-mail address or a subject',
        })
      }
      const { chain } = await requestCertificate(
        { fetch, baseUrl: url },
        {
          identityToken,
          publicKey: signer.publicKey,
          // Fulcio wants proof that who asks holds the key (fulcio.proto, PublicKeyRequest.proof_of_possession).
          proofOfPossession: await signer.sign(encodeUtf8(challenge)),
          ...(signal !== undefined && { signal }),
        },
      )
      return chain
    },
  }
}

/** An RFC 3161 authority. */
export function rfc3161Authority(
  fetch: Fetch,
  url: string,
  { random, digest }: { readonly random: RandomSource; readonly digest?: DigestName },
): TimestampAuthority {
  return {
    url,
    stamp: async (data, signal) =>
      await requestTimestamp(
        { fetch, url, random },
        { data, ...(digest !== undefined && { digest }), ...(signal !== undefined && { signal }) },
      ),
  }
}

export interface RekorOptions {
  readonly fetch: Fetch
  readonly timers: Timers
  /** How a Rekor v1 is told about envelopes; Rekor v2 has one way only. */
  readonly envelopeKind?: EnvelopeEntryKind
  readonly logIdOf?: RekorTilesService['logIdOf']
}

/** A Rekor of either version. */
export function rekorLog(service: Pick<Service, 'url' | 'majorApiVersion'>, options: RekorOptions): TransparencyLog {
  return service.majorApiVersion === 2 ? rekorV2(service.url, options) : rekorV1(service.url, options)
}

function rekorV1(url: string, { fetch, envelopeKind = 'dsse' }: RekorOptions): TransparencyLog {
  const client = createRekorClient({ fetch, baseUrl: url })
  return {
    url,
    majorApiVersion: 1,
    requireRecordable: ({ name, digest }, content) => {
      if (digest === undefined && content === 'message') throw unrecordable(name)
    },
    record: async (submission, signal) => {
      const { entry, url: address } = await client.create(proposeEntry(submission, envelopeKind), signal)
      return { entry, url: address }
    },
  }
}

function rekorV2(url: string, { fetch, timers, logIdOf }: RekorOptions): TransparencyLog {
  const client = createRekorTilesClient({ fetch, baseUrl: url, timers, ...(logIdOf !== undefined && { logIdOf }) })
  return {
    url,
    majorApiVersion: 2,
    requireRecordable: ({ name, digest }) => {
      if (digest === undefined) throw unrecordable(name)
    },
    record: async ({ signature, verifier, signer, digest }, signal) => {
      const { entry } = await client.create({ signature, verifier, algorithm: signer.algorithm, digest }, signal)
      return { entry, url: endpoint(url, `/api/v2/${entryBundlePath(entry)}`) }
    },
  }
}

/** The tile that holds an entry; its last, partial tile if the entry is in it. */
function entryBundlePath({ inclusionProof, logIndex }: LogEntry): string {
  const [index, size] = [
    Number(inclusionProof?.logIndex ?? logIndex),
    Number(inclusionProof?.treeSize ?? logIndex + 1n),
  ]
  const tile = Math.floor(index / TILE_WIDTH)
  // A log may claim an index past its size: the check of the finished signature refuses that, and says why.
  const width = Math.min(TILE_WIDTH, Math.max(1, size - tile * TILE_WIDTH))
  return tilePath({ level: 'entries', index: tile, width })
}

function unrecordable(algorithm: string): SignError {
  return new SignError('SIGN_ENTRY_KIND', `a log cannot record a signature of ${algorithm}`, {
    expected: 'an algorithm that signs a digest, such as ecdsa-sha2-256-nistp256 or ed25519-ph',
    found: algorithm,
    hint: 'sign with another algorithm, or with a signing configuration that has no log',
  })
}
