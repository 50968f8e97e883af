/** `countersign attest`. @module */
import { encodeUtf8 } from '#encoding/utf8'
import { serializeBundle } from '#formats/bundle/serialize'
import { IN_TOTO_PAYLOAD_TYPE } from '#formats/dsse/envelope'
import { predicateTypeUri } from '#formats/in-toto/predicate-types'
import { parseStatement } from '#formats/in-toto/statement'
import { parseDigest } from '#formats/oci/digest'
import { repositoryName } from '#formats/oci/reference'
import { attachBundle } from '#images/attach-bundle'
import { attachLayer } from '#images/attach-layer'
import type { ResolvedImage } from '#images/attachment'
import { layerFromAttestation } from '#images/legacy-layer'
import type { AttachmentWriter } from '#images/store'
import { attestationStatement } from '#sign/predicate'
import { signContent, type SigningResult } from '#sign/sign'
import type { UnixMillis } from '#time'
import { registryFlags } from '../flags/registry.js'
import { confirmationFlag, identityTokenFlags, keyFlags, predicateFlags, serviceFlags } from '../flags/signing.js'
import { creationTime, nameImage, openImages, warnAboutTag } from '../images.js'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import type { Host } from '../kit/host.js'
import { withProgress } from '../progress.js'
import { readFileOrStdin } from '../read-input.js'
import { requireRoom } from '../signing/image-signatures.js'
import { signatureBytes, tellEntries, warnAboutChain, writeBundle } from '../signing/results.js'
import { openSession, settleSigner } from '../signing/session.js'

export const command: Command = defineCommand({
  name: 'attest',
  summary: 'Sign an attestation about container images',
  description:
    'Attaches a signed statement to an image: an SBOM, provenance, a scan. Several images share one key, one login and one certificate.',
  args: { usage: 'IMAGE...', min: 1, max: Infinity },
  flags: {
    ...predicateFlags,
    bundle: { kind: 'path', help: 'also write the bundle to this file' },
    'no-upload': { kind: 'boolean', help: 'print the envelope to standard output instead of attaching it' },
    ...keyFlags,
    ...confirmationFlag,
    ...identityTokenFlags,
    ...serviceFlags,
    ...registryFlags,
    replace: {
      kind: 'boolean',
      help: 'in the old format, take the place of attestations of the same type',
      deprecated: 'not needed when OCI referrers become the default behavior',
    },
    'rekor-entry-type': {
      kind: 'string',
      choices: ['dsse', 'intoto'],
      default: 'dsse',
      help: 'how a Rekor v1 records it',
      deprecated: 'support for this flag will be removed in the future.',
    },
    'record-creation-timestamp': {
      kind: 'boolean',
      help: 'say in the old format’s image when it was made',
      deprecated: 'not used with the new bundle format',
    },
  },
  examples: [
    {
      does: 'attach an SBOM as yourself',
      run: 'attest --type cyclonedx --predicate sbom.cdx.json registry.example.com/app@sha256:…',
    },
    {
      does: 'attach provenance with a key',
      run: 'attest --type slsaprovenance1 --predicate provenance.json --key cosign.key registry.example.com/app@sha256:…',
    },
  ],

  async run({ args, flags, changed, host, signal, verbose }) {
    if ((flags.predicate === undefined) === (flags.statement === undefined)) {
      throw new UsageError('USAGE_FLAG_MISSING', 'one of --predicate or --statement must be set', {
        found: flags.predicate === undefined ? 'neither' : 'both',
      })
    }
    const type = predicateTypeUri(flags.type)
    if (flags.bundle !== undefined && args.length > 1) {
      throw new UsageError('USAGE_FLAG_CONFLICT', 'one bundle file cannot hold the attestations of several images', {
        found: `${String(args.length)} images`,
      })
    }
    const images = await openImages(host, flags, { verbose })
    const targets: ResolvedImage[] = []
    for (const text of args) {
      const image = await nameImage(images.content, text)
      warnAboutTag(host, image, text)
      targets.push(image)
    }
    const source = flags.predicate ?? flags.statement ?? ''
    host.terminal.note(`Using payload from: ${source === '-' ? 'standard input' : source}`)
    const input = await readFileOrStdin(host, source)
    const payloads = targets.map((image) =>
      flags.statement === undefined ? makeStatement(image) : givenStatement(input, image),
    )
    const { session } = await openSession(host, {
      flags,
      changed,
      signal,
      verbose,
      envelopeKind: flags['rekor-entry-type'],
    })
    await settleSigner(host, session, signal)
    for (const [index, image] of targets.entries()) {
      const payload = payloads[index] ?? new Uint8Array()
      if (!host.terminal.stderrIsTty) host.terminal.note('Signing artifact...')
      const result = await withProgress(host, 'Signing artifact...', () =>
        signContent(session, { kind: 'envelope', payloadType: IN_TOTO_PAYLOAD_TYPE, payload }, signal),
      )
      tellEntries(host, result)
      if (flags.bundle !== undefined)
        await writeBundle(host, flags.bundle, result, { legacy: !flags['new-bundle-format'] })
      if (flags['new-bundle-format'] && flags.bundle === undefined) warnAboutChain(host, result)
      if (flags['no-upload']) printEnvelope(host, result)
      else
        await attach(images, image, {
          result,
          predicateType: parseStatement(payload).predicateType,
          legacy: !flags['new-bundle-format'],
          replace: flags.replace,
          created: flags['record-creation-timestamp'] ? creationTime(host.environment, host.clock) : undefined,
        })
    }
    return undefined

    function makeStatement({ repository, descriptor }: ResolvedImage): Uint8Array {
      const subject = { name: repositoryName(repository), sha256: parseDigest(descriptor.digest).hex }
      return attestationStatement({ type: flags.type, predicate: input, subject, now: host.clock() })
    }

    function givenStatement(payload: Uint8Array, { descriptor }: ResolvedImage): Uint8Array {
      const statement = parseStatement(payload)
      if (changed.has('type') && statement.predicateType !== type) {
        throw new CliError('CLI_INPUT', 'the statement is of another type', {
          expected: type,
          found: statement.predicateType,
        })
      }
      const { hex } = parseDigest(descriptor.digest)
      if (statement.subjects.some(({ digest }) => digest.get('sha256') === hex)) return payload
      throw new CliError('CLI_INPUT', 'the statement is not about the image', {
        expected: `a subject with sha256:${hex}`,
        found: `${String(statement.subjects.length)} other subjects`,
      })
    }
  },
})

function printEnvelope(host: Host, result: SigningResult): void {
  host.terminal.write(`${new TextDecoder().decode(signatureBytes(result))}\n`)
}

interface Attesting {
  readonly result: SigningResult
  readonly predicateType: string
  readonly legacy: boolean
  readonly replace: boolean
  readonly created: UnixMillis | undefined
}

async function attach(
  images: AttachmentWriter,
  { repository, descriptor }: ResolvedImage,
  { result, predicateType, legacy, replace, created }: Attesting,
): Promise<void> {
  if (!legacy) {
    await attachBundle(images, {
      repository,
      subject: descriptor,
      bundle: encodeUtf8(serializeBundle(result.entity)),
      content: 'dsse-envelope',
      predicateType,
    })
    return
  }
  requireRoom(result)
  const layer = layerFromAttestation(result.entity, predicateType)
  const replaces = replace
    ? (each: { readonly annotations?: Readonly<Record<string, string>> | undefined }): boolean =>
        each.annotations?.['predicateType'] === predicateType
    : undefined
  await attachLayer(images, { repository, digest: descriptor.digest, tag: 'att', layer, replaces, created })
}
