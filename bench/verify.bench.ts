/**
 * Verified bundles per second, in one thread: against the raw signature operations alone, and against `@sigstore/verify`.
 *
 * Every bundle has a certificate of its own, so nothing that belongs to one bundle is found in a cache; the trusted root is
 * read once, as it would be. Bundles are read from their JSON text each time, by both.
 *
 * @module
 */
import { verify as rawVerify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { Bundle as PeerBundle, TrustedRoot as PeerTrustedRoot } from '@sigstore/protobuf-specs'
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify'
import { keyObjectOf, parsePublicKey } from '#crypto/public-key'
import { encodeUtf8 } from '#encoding/utf8'
import { parseBundle } from '#formats/bundle/parse'
import { serializeBundle } from '#formats/bundle/serialize'
import { parseNote } from '#formats/note/note'
import { preAuthEncode } from '#formats/dsse/pae'
import { signedEntryTimestampPayload } from '#formats/rekor-entry/promise'
import { parseSctList } from '#formats/sct/sct'
import { precertEntry, sctSignatureInput } from '#formats/sct/sct-entry'
import { parseTimestampResponse } from '#formats/cms/parse-timestamp'
import { parseTrustedRoot } from '#formats/trusted-root/parse'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { createTestPki } from '#testing/pki/pki'
import type { TestPki } from '#testing/pki/pki'
import { signMessage, signStatement } from '#testing/pki/signed-entity'
import type { SignedArtifact } from '#testing/pki/signed-entity'
import { ALICE } from '#testing/verifying'
import { verify } from '#verify/verify'

const BUNDLES = 50
const SLICES = 60
const CALLS = 12

/** One signature check with everything prepared, down to the key. */
interface RawCheck {
  readonly digest: string | null
  readonly key: KeyObject
  readonly message: Uint8Array
  readonly signature: Uint8Array
}

interface Subject {
  readonly text: string
  readonly artifact: Uint8Array
  readonly checks: readonly RawCheck[]
}

const keyOf = (spki: Uint8Array): KeyObject => keyObjectOf(parsePublicKey(spki))

/** Every signature that differs from bundle to bundle. Intermediates are of the trusted root and checked once. */
function rawChecks({ entity, artifact }: SignedArtifact, pki: TestPki): readonly RawCheck[] {
  const { content, key, logEntries, timestamps } = entity
  const leaf = parseCertificate(key.kind === 'certificates' ? key.chain[0]! : new Uint8Array(0))
  const signed =
    content.kind === 'dsse'
      ? {
          message: preAuthEncode(content.envelope.payloadType, content.envelope.payload),
          signature: content.envelope.signatures[0]!.signature,
        }
      : { message: artifact, signature: content.signature }
  const sct = parseSctList(leaf.sctList!)[0]!
  const sctMessage = sctSignatureInput(sct, precertEntry(leaf, pki.intermediate.certificate.spki))
  const checks: RawCheck[] = [
    { digest: 'sha256', key: keyOf(leaf.spki), ...signed },
    { digest: 'sha384', key: keyOf(pki.intermediate.certificate.spki), message: leaf.tbs, signature: leaf.signature },
    { digest: 'sha256', key: keyOf(pki.ctLog.key.publicKey.spki), message: sctMessage, signature: sct.signature },
  ]
  for (const entry of logEntries) {
    const log = entry.integratedTime === undefined ? pki.rekorV2 : pki.rekorV1
    const digest = log.version === 1 ? 'sha256' : null
    const logKey = keyOf(log.key.publicKey.spki)
    if (entry.inclusionPromise !== undefined) {
      checks.push({
        digest,
        key: logKey,
        message: signedEntryTimestampPayload(entry),
        signature: entry.inclusionPromise,
      })
    }
    const note = parseNote(entry.inclusionProof!.checkpoint!)
    checks.push({ digest, key: logKey, message: encodeUtf8(note.text), signature: note.signatures[0]!.signature })
  }
  for (const response of timestamps) {
    const { signer } = parseTimestampResponse(response).token!.signedData
    const tsaKey = keyOf(pki.tsa.leaf.certificate.spki)
    checks.push({ digest: 'sha256', key: tsaKey, message: signer.attributes.signed, signature: signer.signature })
  }
  return checks
}

type Run = (subject: Subject) => unknown

/**
 * Calls per second of each, in its best slice. The slices are short and take turns, so that some of them are undisturbed by
 * whatever else the machine does; the first calls of a slice find the caches as the others left them and are not counted.
 */
async function rates(subjects: readonly Subject[], runs: readonly Run[]): Promise<readonly number[]> {
  const best = runs.map(() => 0)
  let next = 0
  const some = async (run: Run, calls: number): Promise<void> => {
    for (let call = 0; call < calls; call++) await run(subjects[next++ % subjects.length]!)
  }
  for (let slice = 0; slice < SLICES; slice++) {
    for (const [index, run] of runs.entries()) {
      await some(run, CALLS / 2)
      const start = performance.now()
      await some(run, CALLS)
      best[index] = Math.max(best[index]!, (CALLS * 1000) / (performance.now() - start))
    }
  }
  return best
}

async function subjectsOf(pki: TestPki, sign: () => Promise<SignedArtifact>): Promise<readonly Subject[]> {
  const subjects: Subject[] = []
  for (let count = 0; count < BUNDLES; count++) {
    const signed = await sign()
    const checks = rawChecks(signed, pki)
    for (const check of checks) if (!runRaw(check)) throw new Error('a raw check does not hold')
    subjects.push({ text: serializeBundle(signed.entity), artifact: signed.artifact, checks })
  }
  return subjects
}

function runRaw({ digest, key, message, signature }: RawCheck): boolean {
  return rawVerify(digest, message, key, signature)
}

/** As in the public instance: a P-384 hierarchy above P-256 leaves. */
const pki = await createTestPki({ intermediate: { algorithm: 'ecdsa-sha2-384-nistp384' } })
const rootText = serializeTrustedRoot(pki.trusted)
const trust = parseTrustedRoot(rootText)
const peer = new Verifier(toTrustMaterial(PeerTrustedRoot.fromJSON(JSON.parse(rootText))))

const kinds: Readonly<Record<string, () => Promise<SignedArtifact>>> = {
  'message, Rekor v1': () => signMessage(pki),
  'envelope, Rekor v1': () => signStatement(pki, { logs: [{ shape: 'v1-dsse' }] }),
  'message, Rekor v2 + TSA': () =>
    signMessage(pki, { logs: [{ shape: 'v2-hashedrekord' }], timestamps: [{ embed: 'none' }] }),
}

console.log('verified bundles per second, one thread')
for (const [kind, sign] of Object.entries(kinds)) {
  const subjects = await subjectsOf(pki, sign)
  const [ours = 0, raw = 0, theirs = 0] = await rates(subjects, [
    ({ text, artifact }) =>
      verify({ entity: parseBundle(text), artifact: { kind: 'bytes', bytes: artifact }, trust, policy: ALICE }),
    ({ checks }) => checks.every(runRaw),
    ({ text, artifact }) =>
      peer.verify(toSignedEntity(PeerBundle.fromJSON(JSON.parse(text)) as never, Buffer.from(artifact)), {
        subjectAlternativeName: '^alice@example\\.com$',
        extensions: { issuer: 'https://issuer.example.com' },
      }),
  ])
  const number = (value: number): string => value.toFixed(0).padStart(6)
  console.log(
    `${kind.padEnd(26)} countersign ${number(ours)}   raw signatures ${number(raw)} (${((100 * ours) / raw).toFixed(0)} %)` +
      `   @sigstore/verify ${number(theirs)} (${(ours / theirs).toFixed(1)}×)`,
  )
}
