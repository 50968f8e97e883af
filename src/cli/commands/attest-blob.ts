/** `countersign attest-blob`. @module */
import { createDigest } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { IN_TOTO_PAYLOAD_TYPE } from '#formats/dsse/envelope'
import { parseStatement } from '#formats/in-toto/statement'
import { attestationStatement } from '#sign/predicate'
import { signContent } from '#sign/sign'
import { confirmationFlag, identityTokenFlags, keyFlags, predicateFlags, serviceFlags } from '../flags/signing.js'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { withProgress } from '../progress.js'
import { readFileOrStdin, streamFileOrStdin } from '../read-input.js'
import { signatureBytes, tellEntries, writeBundle, writeDetached } from '../signing/results.js'
import { openSession, settleSigner } from '../signing/session.js'

const USE_BUNDLE = 'please use --bundle to provide the output bundle location, which will include the signature'

export const command: Command = defineCommand({
  name: 'attest-blob',
  summary: 'Sign an attestation about a file',
  args: { usage: '[FILE|-]', max: 1, complete: 'file' },
  flags: {
    bundle: { kind: 'path', help: 'write the bundle to this file' },
    ...predicateFlags,
    hash: { kind: 'string', placeholder: 'HEX', help: 'SHA-256 of the file, instead of the file' },
    ...keyFlags,
    ...confirmationFlag,
    ...identityTokenFlags,
    ...serviceFlags,
    'rekor-entry-type': {
      kind: 'string',
      choices: ['dsse', 'intoto'],
      default: 'dsse',
      help: 'how a Rekor v1 records it',
      deprecated: 'support for this flag will be removed in the future.',
    },
    'output-signature': { kind: 'path', help: 'write the envelope to this file', deprecated: USE_BUNDLE },
    'output-attestation': { kind: 'path', help: 'write the statement to this file', deprecated: USE_BUNDLE },
    'output-certificate': { kind: 'path', help: 'write the certificate to this file', deprecated: USE_BUNDLE },
    'rfc3161-timestamp-bundle': { kind: 'path', help: 'write the timestamp to this file', deprecated: USE_BUNDLE },
  },
  examples: [
    {
      does: 'attest how a file was built',
      run: 'attest-blob app.tgz --predicate provenance.json --type slsaprovenance1 --bundle app.intoto.sigstore.json',
    },
    {
      does: 'sign a statement that is there already',
      run: 'attest-blob --statement statement.json --bundle statement.sigstore.json',
    },
  ],

  async run({ args: [path], flags, changed, host, signal, verbose }) {
    const legacy = !flags['new-bundle-format']
    if (flags.bundle === undefined && !legacy)
      throw new UsageError('USAGE_FLAG_MISSING', 'must specify --bundle', { expected: '--bundle FILE' })
    const payload = await statementOf(host, flags, path)
    const { session } = await openSession(host, {
      flags,
      changed,
      signal,
      verbose,
      envelopeKind: flags['rekor-entry-type'],
    })
    await settleSigner(host, session, signal)
    if (!host.terminal.stderrIsTty) host.terminal.note('Signing artifact...')
    const result = await withProgress(host, 'Signing artifact...', () =>
      signContent(session, { kind: 'envelope', payloadType: IN_TOTO_PAYLOAD_TYPE, payload }, signal),
    )
    tellEntries(host, result)
    if (flags.bundle !== undefined) await writeBundle(host, flags.bundle, result, { legacy })
    const signaturePath = flags['output-signature']
    if (signaturePath !== undefined) {
      await host.files.write(signaturePath, signatureBytes(result))
      host.terminal.note(`Signature written in ${signaturePath}`)
    } else if (legacy) host.terminal.write(`${new TextDecoder().decode(signatureBytes(result))}\n`)
    const attestationPath = flags['output-attestation']
    if (attestationPath !== undefined) {
      await host.files.write(attestationPath, payload)
      host.terminal.note(`Attestation written in ${attestationPath}`)
    }
    await writeDetached(host, result, {
      flags: {
        'output-certificate': flags['output-certificate'],
        'rfc3161-timestamp': flags['rfc3161-timestamp-bundle'],
      },
      base64: false,
    })
    return undefined
  },
})

interface StatementFlags {
  readonly predicate: string | undefined
  readonly statement: string | undefined
  readonly type: string
  readonly hash: string | undefined
}

/** The statement to sign: the one given, byte for byte, or one made of the predicate and the file's digest. */
async function statementOf(host: Host, flags: StatementFlags, path: string | undefined): Promise<Uint8Array> {
  if ((flags.predicate === undefined) === (flags.statement === undefined)) {
    throw new UsageError('USAGE_FLAG_MISSING', 'one of --predicate or --statement must be set', {
      found: flags.predicate === undefined ? 'neither' : 'both',
    })
  }
  if (flags.statement !== undefined) {
    host.terminal.note(`Using statement from: ${flags.statement}`)
    const payload = await readFileOrStdin(host, flags.statement)
    parseStatement(payload)
    return payload
  }
  const predicate = await readFileOrStdin(host, flags.predicate ?? '')
  const sha256 = flags.hash === undefined ? await digestOf(host, path) : checkedHash(flags.hash)
  return attestationStatement({
    type: flags.type,
    predicate,
    subject: { name: baseName(path ?? ''), sha256 },
    now: host.clock(),
  })
}

async function digestOf(host: Host, path: string | undefined): Promise<string> {
  if (path === undefined)
    throw new UsageError('USAGE_ARGUMENTS', 'which file the attestation is about is not said', {
      expected: 'a file, or --hash HEX',
    })
  if (path !== '-') host.terminal.note(`Using payload from: ${path}`)
  const digest = createDigest('sha256')
  for await (const chunk of streamFileOrStdin(host, path)) digest.update(chunk)
  return encodeHex(digest.digest())
}

function checkedHash(hash: string): string {
  if (/^[0-9a-fA-F]{64}$/.test(hash)) return hash.toLowerCase()
  throw new CliError('CLI_INPUT', '--hash is not a SHA-256 digest', {
    expected: '64 hexadecimal digits',
    found: `${String(hash.length)} characters`,
  })
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
