/** `countersign bundle create`. @module */
import type { SignedEntity } from '#formats/signed-entity'
import { assembleBundle } from '../bundles/assemble.js'
import { loadOldMaterial } from '../bundles/old-material.js'
import { PUBLIC_REKOR, writeBundleText } from '../bundles/output.js'
import { publicKeyFlags } from '../flags/verifying.js'
import { type Command, defineCommand } from '../kit/command.js'
import { UsageError } from '../kit/errors.js'
import { loadPublicKey, refuseSecurityKey } from '../keys/reference.js'
import { loadTrust } from '../trust.js'
import { loadArtifact } from '../verifying/blob-artifact.js'

export const command: Command = defineCommand({
  name: 'bundle create',
  summary: 'Make a bundle out of a signature, its certificate and its log entry',
  description:
    'Takes what clients kept in separate files, or in the old format, and asks the transparency log for the entry and its proof. What comes out has been verified as far as that goes without knowing who should have signed: signature, artifact, log entry and timestamp belong together. With --trusted-root the authorities and the log are verified as well.',
  flags: {
    artifact: { kind: 'path', help: 'the file that was signed, or sha256:DIGEST' },
    bundle: { kind: 'path', help: 'a bundle in the old format' },
    signature: { kind: 'path', help: 'the signature in base64, or the envelope that has it inside' },
    attestation: { kind: 'path', help: 'the DSSE envelope' },
    certificate: { kind: 'path', aliases: ['cert'], help: 'certificate of the signer' },
    key: { kind: 'path', placeholder: 'KEY', help: `signed with this ${publicKeyFlags.key.help}` },
    'rfc3161-timestamp': { kind: 'path', help: 'a timestamp over the signature' },
    'ignore-tlog': { kind: 'boolean', help: 'the signature was never logged' },
    'rekor-url': {
      kind: 'url',
      help: `the transparency log that has the entry; ${PUBLIC_REKOR} where the material has the entry itself, so that only its index is told`,
    },
    'trusted-root': { kind: 'path', help: 'verify authorities and logs against this file' },
    out: { kind: 'path', help: 'write to this file rather than to standard output' },
    sk: { kind: 'boolean', help: 'use a hardware security key', hidden: true },
    slot: { kind: 'string', help: 'slot of the hardware security key', hidden: true },
  },
  withoutCosignEnvironment: true,
  examples: [
    {
      does: 'from a signature and a certificate, as cosign 2 wrote them',
      run: 'bundle create --artifact app.tgz --signature app.tgz.sig --certificate app.tgz.pem --rekor-url https://rekor.sigstore.dev --out app.tgz.sigstore.json',
    },
    {
      does: 'from a bundle in the old format, by a key',
      run: 'bundle create --artifact app.tgz --bundle app.tgz.bundle --key cosign.pub --out app.tgz.sigstore.json',
    },
    {
      does: 'from an attestation at a private log, everything but the signer verified',
      run: 'bundle create --artifact app.tgz --attestation app.att --certificate app.pem --rekor-url https://rekor.example.com --trusted-root root.json --out app.sigstore.json',
    },
  ],

  async run({ flags, host, signal }) {
    refuseSecurityKey(flags)
    const { artifact: name } = flags
    if (name === undefined) throw new UsageError('USAGE_FLAG_MISSING', 'must supply --artifact')
    if (flags.key !== undefined && flags.certificate !== undefined) {
      throw new UsageError('USAGE_FLAG_CONFLICT', 'only one of --key and --certificate may be given', {
        hint: 'which of them signed?',
      })
    }
    const key = flags.key === undefined ? undefined : (await loadPublicKey(host, flags.key, signal)).key
    const material = await loadOldMaterial(host, { flags, key, signal })
    const certified = material.key.kind === 'certificates'
    if (certified === (key !== undefined)) {
      throw new UsageError(
        certified ? 'USAGE_FLAG_CONFLICT' : 'USAGE_FLAG_MISSING',
        certified ? 'a key was given for what was signed with a certificate' : 'it is not said which key signed',
        { expected: certified ? 'no --key' : '--key, or --certificate' },
      )
    }
    const artifact = await loadArtifact(host, name, material.content, signal)
    const trust =
      flags['trusted-root'] === undefined ? undefined : await loadTrust(host, { 'trusted-root': flags['trusted-root'] })
    const rekorUrl = flags['ignore-tlog'] ? undefined : (flags['rekor-url'] ?? logOf(material))
    const text = await assembleBundle(host, { material, artifact, key, rekorUrl, trust, signal })
    if (trust === undefined) {
      host.terminal.note(
        'The parts belong together; that authority and log are to be trusted is for the verifier to say (or for --trusted-root).',
      )
    }
    await writeBundleText(host, text, flags.out)
    return undefined
  },
})

/** Looking an entry up tells a log what was signed, and by whom: nobody is told without having been named. */
function logOf({ logEntries }: SignedEntity): string {
  if (logEntries.length > 0) return PUBLIC_REKOR
  throw new UsageError('USAGE_FLAG_MISSING', 'it is not said which log has the entry', {
    expected: '--rekor-url, or --ignore-tlog for what was never logged',
    hint: `the public one is ${PUBLIC_REKOR}; it is told digest, signature and certificate`,
  })
}
