import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { systemTimers } from '#clients/http/timers'
import { ALGORITHMS } from '#crypto/algorithms'
import { generatePrivateKey, type PrivateKey, type Signer } from '#crypto/private-key'
import { randomBytes } from '#crypto/random'
import { sha256 } from '#crypto/digest'
import { encodeUtf8 } from '#encoding/utf8'
import { preAuthEncode } from '#formats/dsse/pae'
import { IN_TOTO_PAYLOAD_TYPE } from '#formats/dsse/envelope'
import { parseProposedEntryV1 } from '#formats/rekor-entry/proposed-v1'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { startVirtualSigstore, type VirtualSigstore } from '#testing/virtual-sigstore'
import { verify } from '#verify/verify'
import { type ContentToSign, type MessageToSign, signBare } from './content.js'
import { certifiedCredential, fixedCredential } from './credentials.js'
import type { CertificateAuthority, IdentityProvider, TimestampAuthority, TransparencyLog } from './ports.js'
import { proposeEntry } from './rekor-proposal.js'
import { selectSigningServices } from './select-services.js'
import { selfCheck } from './self-check.js'
import { fulcioAuthority, rekorLog, rfc3161Authority } from './services.js'
import { signContent, type SigningSession } from './sign.js'

let sigstore: VirtualSigstore
let key: PrivateKey
before(async () => {
  sigstore = await startVirtualSigstore()
  key = await generatePrivateKey('ecdsa-sha2-256-nistp256')
})

const MESSAGE: ContentToSign = { kind: 'message', data: encodeUtf8('some bytes') }
const ENVELOPE: ContentToSign = {
  kind: 'envelope',
  payloadType: IN_TOTO_PAYLOAD_TYPE,
  payload: encodeUtf8(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ digest: { sha256: '00'.repeat(32) } }],
      predicateType: 'https://x',
      predicate: {},
    }),
  ),
}

const ann: IdentityProvider = { identityToken: () => sigstore.token('ann@example.com') }
const authority = (): CertificateAuthority => fulcioAuthority(sigstore.fetch, sigstore.url)
const log = (majorApiVersion: 1 | 2): TransparencyLog =>
  rekorLog({ url: sigstore.url, majorApiVersion }, { fetch: sigstore.fetch, timers: systemTimers })
const tsa = (): TimestampAuthority =>
  rfc3161Authority(sigstore.fetch, `${sigstore.url}/api/v1/timestamp`, { random: randomBytes })

interface Parts {
  readonly authority?: CertificateAuthority
  readonly identity?: IdentityProvider
  readonly log?: TransparencyLog
  readonly tsa?: TimestampAuthority
}

function session(parts: Parts = {}): SigningSession {
  return {
    credentials: certifiedCredential({
      signer: key,
      authority: parts.authority ?? authority(),
      identity: parts.identity ?? ann,
      clock: sigstore.clock,
    }),
    witnesses: { logs: [parts.log ?? log(2)], timestampAuthorities: [parts.tsa ?? tsa()] },
    check: selfCheck({ trust: sigstore.trustedRoot, clock: sigstore.clock, published: true, witnessed: true }),
  }
}

describe('what is returned holds', () => {
  for (const content of [MESSAGE, ENVELOPE]) {
    for (const version of [1, 2] as const) {
      test(`${content.kind}, Rekor v${String(version)}`, async () => {
        const result = await signContent(session({ log: log(version) }), content)
        assert.equal(result.entity.logEntries.length, 1)
        assert.equal(result.entity.timestamps.length, 1)
        assert.equal(result.entity.key.kind === 'certificates' && result.entity.key.chain.length, 1)
      })
    }
  }
  test('a stream is read once and gives the same entry as its bytes', async () => {
    const signing = session()
    let reads = 0
    const data = (async function* () {
      reads++
      yield encodeUtf8('some ')
      yield encodeUtf8('bytes')
    })()
    const { entity } = await signContent(signing, { kind: 'message', data })
    const other = await signContent(signing, MESSAGE)
    assert.equal(reads, 1)
    assert.ok(entity.content.kind === 'message-signature' && other.entity.content.kind === 'message-signature')
    assert.deepEqual(entity.content.digest, other.entity.content.digest)
  })
})

describe('a service that returns something else is caught before anything is handed out', () => {
  const refused: readonly { name: string; parts: () => Parts; code: string }[] = [
    {
      name: 'a certificate for another key',
      parts: () => ({
        authority: {
          url: 'x',
          issue: async (ask) =>
            await authority().issue({ ...ask, signer: await generatePrivateKey('ecdsa-sha2-256-nistp256') }),
        },
      }),
      code: 'SIGN_CERTIFICATE_KEY',
    },
    {
      name: 'a certificate for somebody else',
      parts: () => ({
        authority: {
          url: 'x',
          issue: async (ask) =>
            await authority().issue({ ...ask, identityToken: await sigstore.token('bob@example.com') }),
        },
      }),
      code: 'SIGN_CERTIFICATE_IDENTITY',
    },
    {
      name: 'a timestamp over something else',
      parts: () => ({ tsa: { url: 'x', stamp: async () => await tsa().stamp(encodeUtf8('else')) } }),
      code: 'SIGN_UNVERIFIABLE',
    },
    {
      name: 'an entry about another signature',
      parts: () => ({
        log: { ...log(2), record: async (submission) => await log(2).record({ ...submission, ...(await foreign()) }) },
      }),
      code: 'SIGN_UNVERIFIABLE',
    },
    {
      name: 'an entry with a broken proof',
      parts: () => ({
        log: {
          ...log(2),
          record: async (submission) => {
            const recorded = await log(2).record(submission)
            const proof = recorded.entry.inclusionProof
            return {
              ...recorded,
              entry: { ...recorded.entry, inclusionProof: proof && { ...proof, rootHash: new Uint8Array(32) } },
            }
          },
        },
      }),
      code: 'SIGN_UNVERIFIABLE',
    },
    {
      name: 'no entry at all',
      parts: () => ({
        log: {
          ...log(2),
          record: async (submission) => ({
            ...(await log(2).record(submission)),
            entry: { ...(await log(2).record({ ...submission, ...(await foreign()) })).entry },
          }),
        },
      }),
      code: 'SIGN_UNVERIFIABLE',
    },
    {
      name: 'a token that is none',
      parts: () => ({ identity: { identityToken: () => Promise.resolve('hunter2') } }),
      code: 'SIGN_TOKEN_MALFORMED',
    },
    {
      name: 'a token without a subject',
      parts: () => ({
        identity: {
          identityToken: () => Promise.resolve(`e30.${Buffer.from('{"iss":"x"}').toString('base64url')}.e30`),
        },
      }),
      code: 'SIGN_TOKEN_MALFORMED',
    },
  ]
  for (const { name, parts, code } of refused) {
    test(name, async () => {
      await assert.rejects(signContent(session(parts()), MESSAGE), { code })
    })
  }
  test('a trusted root of other services', async () => {
    const other = await startVirtualSigstore()
    const check = selfCheck({ trust: other.trustedRoot, clock: sigstore.clock, published: true, witnessed: true })
    await assert.rejects(signContent({ ...session(), check }, MESSAGE), { code: 'SIGN_UNVERIFIABLE' })
  })

  async function foreign(): Promise<{ signature: Uint8Array; digest: { algorithm: 'sha256'; value: Uint8Array } }> {
    const { digest } = await import('#crypto/digest')
    const bytes = randomBytes(16)
    return { signature: await key.sign(bytes), digest: { algorithm: 'sha256', value: digest('sha256', bytes) } }
  }
})

describe('one certificate for many signatures', () => {
  test('is asked for once, also by two at the same time, and again when it runs out', async () => {
    let asked = 0
    const counting: CertificateAuthority = {
      url: 'x',
      issue: async (ask) => {
        asked++
        return await authority().issue(ask)
      },
    }
    const signing = session({ authority: counting })
    await signContent(signing, MESSAGE)
    await signContent(signing, ENVELOPE)
    assert.equal(asked, 1)
    const fresh = session({ authority: counting })
    await Promise.all([signContent(fresh, MESSAGE), signContent(fresh, ENVELOPE)])
    assert.equal(asked, 2)
    sigstore.advance(20 * 60_000)
    await signContent(signing, MESSAGE)
    assert.equal(asked, 3)
  })
  test('a failed attempt does not spoil the next one', async () => {
    let first = true
    const identity: IdentityProvider = {
      identityToken: async () => {
        if (!first) return await sigstore.token('ann@example.com')
        first = false
        throw new Error('not now')
      },
    }
    const signing = session({ identity })
    await assert.rejects(signContent(signing, MESSAGE), /not now/)
    await signContent(signing, MESSAGE)
  })
})

describe('keys of one’s own', () => {
  test('a certificate of another key is refused at once', async () => {
    const [leaf] = await authority().issue({ identityToken: await sigstore.token('ann@example.com'), signer: key })
    const other = await generatePrivateKey('ecdsa-sha2-256-nistp256')
    assert.throws(() => fixedCredential(other, [leaf]), { code: 'SIGN_CERTIFICATE_KEY' })
    assert.ok(fixedCredential(key, [leaf]))
    assert.ok(parseCertificate(leaf))
  })
  const with25519 = (signer: Signer, ...logs: readonly TransparencyLog[]): SigningSession => ({
    credentials: fixedCredential(signer),
    witnesses: { logs, timestampAuthorities: [] },
    check: selfCheck({ trust: sigstore.trustedRoot, clock: sigstore.clock, published: false, witnessed: true }),
  })

  test('Ed25519 cannot be logged as it is, Ed25519ph can', async () => {
    const ed25519 = await generatePrivateKey('ed25519')
    for (const version of [1, 2] as const)
      await assert.rejects(signContent(with25519(ed25519, log(version)), MESSAGE), { code: 'SIGN_ENTRY_KIND' })
    await signContent(with25519(ed25519.withAlgorithm(ALGORITHMS['ed25519-ph']), log(2)), MESSAGE)
  })

  test('an attestation by Ed25519 as it is can be logged by a Rekor v1 alone', async () => {
    const ed25519 = await generatePrivateKey('ed25519')
    await signContent(with25519(ed25519, log(1)), ENVELOPE)
    await assert.rejects(signContent(with25519(ed25519, log(2)), ENVELOPE), { code: 'SIGN_ENTRY_KIND' })
  })

  test('what one of several logs cannot record is neither signed nor recorded anywhere', async () => {
    const ed25519 = await generatePrivateKey('ed25519')
    const done: string[] = []
    const signer: Signer = {
      ...ed25519,
      sign: async (input) => {
        done.push('signed')
        return await ed25519.sign(input)
      },
    }
    const first: TransparencyLog = {
      ...log(1),
      record: async (submission) => {
        done.push('recorded')
        return await log(1).record(submission)
      },
    }
    await assert.rejects(signContent(with25519(signer, first, log(2)), ENVELOPE), { code: 'SIGN_ENTRY_KIND' })
    assert.deepEqual(done, [])
  })

  test('a stream is signed by what signs the message itself, and held against the signature', async () => {
    const data = (async function* () {
      yield await Promise.resolve(encodeUtf8('some '))
      yield encodeUtf8('bytes')
    })()
    const ed25519 = await generatePrivateKey('ed25519')
    const { artifact, signature } = await signContent(with25519(ed25519), { kind: 'message', data })
    assert.deepEqual(artifact, { kind: 'bytes', bytes: encodeUtf8('some bytes') })
    assert.deepEqual(signature, await ed25519.sign(encodeUtf8('some bytes')))
    const wrong: Signer = { ...ed25519, sign: () => Promise.resolve(new Uint8Array(64)) }
    await assert.rejects(signContent(with25519(wrong), MESSAGE), { code: 'SIGN_UNVERIFIABLE' })
  })
})

describe('a file that could pass for an attestation', () => {
  const payload = encodeUtf8(
    JSON.stringify({ _type: 'https://in-toto.io/Statement/v1', subject: [], predicateType: 'https://x.example/y' }),
  )
  const encoded = preAuthEncode(IN_TOTO_PAYLOAD_TYPE, payload)
  async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const message = (data: MessageToSign['data']): MessageToSign => ({ kind: 'message', data })

  test('signed as a file and logged as a file, it is one, for every verifier of Rekor v2', async () => {
    const signature = await key.sign(encoded)
    const { entry } = await log(2).record({
      signature,
      signer: key,
      verifier: { kind: 'public-key', spki: key.publicKey.spki },
      digest: { algorithm: 'sha256', value: sha256(encoded) },
    })
    const envelope = { payloadType: IN_TOTO_PAYLOAD_TYPE, payload, signatures: [{ keyId: '', signature }] }
    const { content } = await verify({
      entity: {
        content: { kind: 'dsse', envelope },
        key: { kind: 'public-key', hint: '' },
        logEntries: [entry],
        timestamps: [],
      },
      artifact: { kind: 'unsafe-any-subject' },
      trust: sigstore.trustedRoot,
      policy: { kind: 'key', key: key.publicKey },
    })
    assert.equal(content.kind, 'statement')
  })
  test('is not signed, whole or in pieces of any size', async () => {
    await assert.rejects(signBare(key, message(encoded)), { code: 'SIGN_CONFUSABLE' })
    for (const size of [1, 2, 6, 7, 8, 1000]) {
      await assert.rejects(signBare(key, message(inPieces(encoded, size))), { code: 'SIGN_CONFUSABLE' }, String(size))
    }
  })
  test('everything else is: shorter, other versions, the same further in', async () => {
    for (const text of ['', 'D', 'DSSEv1', 'DSSEv2 1 a 1 b', 'dssev1 1 a 1 b', ' DSSEv1 1 a 1 b']) {
      await signBare(key, message(encodeUtf8(text)))
      await signBare(key, message(inPieces(encodeUtf8(text), 1)))
    }
  })
})

describe('proposals and services', () => {
  test('what is proposed to a Rekor v1 is what its server reads', async () => {
    const submission = {
      signature: Uint8Array.of(1),
      signer: key,
      digest: { algorithm: 'sha256', value: new Uint8Array(32) },
      verifier: { kind: 'public-key', spki: key.publicKey.spki },
    } as const
    assert.equal(parseProposedEntryV1(JSON.stringify(proposeEntry(submission, 'dsse'))).kind, 'hashedrekord')
    const envelope = {
      payloadType: IN_TOTO_PAYLOAD_TYPE,
      payload: encodeUtf8('{}'),
      signatures: [{ keyId: '', signature: Uint8Array.of(1) }],
    }
    for (const kind of ['dsse', 'intoto'] as const) {
      assert.equal(parseProposedEntryV1(JSON.stringify(proposeEntry({ ...submission, envelope }, kind))).kind, kind)
    }
  })
  test('the newest version of each kind is selected; a key needs no authority', () => {
    const { signingConfig: config } = sigstore
    const selected = selectSigningServices(config, { certified: true, now: sigstore.clock() })
    assert.equal(selected.logs[0]?.majorApiVersion, 2)
    assert.ok(selected.authority)
    assert.equal(selectSigningServices(config, { certified: false, now: sigstore.clock() }).authority, undefined)
    assert.throws(() => selectSigningServices(config, { certified: true, now: 0 }), {
      code: 'SIGNING_CONFIG_NO_SERVICE',
    })
  })
})
