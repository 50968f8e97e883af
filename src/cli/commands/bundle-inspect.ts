/** `countersign bundle inspect`. @module */
import { encodeBase64 } from '#encoding/base64'
import { encodeHex } from '#encoding/hex'
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import { parseBundle, type ParsedBundle } from '#formats/bundle/parse'
import { grantedToken, parseTimestampResponse } from '#formats/cms/parse-timestamp'
import { IN_TOTO_PAYLOAD_TYPE } from '#formats/dsse/envelope'
import { parseStatement } from '#formats/in-toto/statement'
import type { LogEntry } from '#formats/rekor-entry/log-entry'
import type { Certificate } from '#formats/x509/certificate'
import { FULCIO_CLAIMS } from '#formats/x509/fulcio-extensions'
import { parseCertificate } from '#formats/x509/parse-certificate'
import { formatRfc3339 } from '#time'
import { type Command, defineCommand } from '../kit/command.js'
import { inline } from '../kit/printable.js'
import { parseInput, readFileOrStdin } from '../read-input.js'

/** A line of the tree and what stands below it. */
interface Line {
  readonly label: string
  readonly value?: string
  readonly below?: readonly Line[]
}

export const command: Command = defineCommand({
  name: 'bundle inspect',
  summary: 'Show what is in a bundle, unverified',
  args: { usage: 'FILE|-', min: 1, max: 1, complete: 'file' },
  flags: {},
  withoutCosignEnvironment: true,
  examples: [{ does: 'see who signed, according to the bundle', run: 'bundle inspect app.tgz.sigstore.json' }],

  async run({ args: [path = ''], host }) {
    host.terminal.note('WARNING: nothing of this is verified. Whoever made the bundle could write what they liked.')
    const bytes = await readFileOrStdin(host, path)
    const bundle = parseInput(path, () => parseBundle(bytes, { allowCertificateChain: true }))
    host.terminal.write(`${draw(linesOf(bundle), '').join('\n')}\n`)
    return undefined
  },
})

function draw(lines: readonly Line[], indent: string): readonly string[] {
  return lines.flatMap(({ label, value, below = [] }) => [
    `${indent}- ${label}${value === undefined ? '' : `: ${inline(value.replaceAll('\n', ' ').slice(0, 2000))}`}`,
    ...draw(below, `${indent}  `),
  ])
}

function linesOf(bundle: ParsedBundle): readonly Line[] {
  return [
    { label: 'Media type', value: bundle.mediaType },
    keyLine(bundle),
    contentLine(bundle),
    ...bundle.logEntries.map((entry, index) => entryLine(entry, index)),
    ...bundle.timestamps.map((der, index) => timestampLine(der, index)),
  ]
}

function keyLine({ key }: ParsedBundle): Line {
  if (key.kind === 'public-key') return { label: 'Public key', below: [{ label: 'Hint', value: key.hint }] }
  const [leaf, ...rest] = key.chain
  return {
    label: 'Certificate',
    below:
      leaf === undefined
        ? []
        : [
            ...attempt(() => certificateLines(parseCertificate(leaf))),
            { label: 'Further certificates', value: String(rest.length) },
          ],
  }
}

function certificateLines(certificate: Certificate): readonly Line[] {
  const names = certificate.subjectAltNames ?? []
  const claims = FULCIO_CLAIMS.flatMap(({ claim, oid }) => {
    const value = certificate.fulcio[claim]
    return value === undefined ? [] : [{ label: `${claim} (${oid})`, value }]
  })
  return [
    ...names.map((name) => ({
      label: `Subject alternative name (${name.kind})`,
      value: 'value' in name && typeof name.value === 'string' ? name.value : '(binary)',
    })),
    { label: 'Issuer', value: certificate.issuer.text },
    { label: 'Serial number', value: encodeHex(certificate.serialNumber) },
    { label: 'Valid from', value: formatRfc3339(certificate.notBefore) },
    { label: 'Valid until', value: formatRfc3339(certificate.notAfter) },
    { label: 'Claims of Fulcio', below: claims },
    {
      label: 'Signed certificate timestamps',
      value: certificate.sctList === undefined ? 'none' : `${String(certificate.sctList.length)} bytes`,
    },
  ]
}

function contentLine({ content }: ParsedBundle): Line {
  if (content.kind === 'message-signature') {
    const { digest, digestAlgorithm, signature } = content
    const stated =
      digest === undefined ? [] : [{ label: 'Digest', value: `${digestAlgorithm ?? 'unknown'}:${encodeHex(digest)}` }]
    return { label: 'Message signature', below: [...stated, { label: 'Signature', value: encodeBase64(signature) }] }
  }
  const { payloadType, payload, signatures } = content.envelope
  return {
    label: 'DSSE envelope',
    below: [
      { label: 'Payload type', value: payloadType },
      ...(payloadType === IN_TOTO_PAYLOAD_TYPE ? attempt(() => statementLines(payload)) : []),
      ...signatures.map(({ signature }) => ({ label: 'Signature', value: encodeBase64(signature) })),
    ],
  }
}

function statementLines(payload: Uint8Array): readonly Line[] {
  const { type, subjects, predicateType } = parseStatement(payload)
  return [
    { label: 'Statement', value: type },
    { label: 'Predicate type', value: predicateType },
    ...subjects.map(({ name, digest, annotations }) => ({
      label: 'Subject',
      value: name ?? '(no name)',
      below: [
        ...[...digest].map(([algorithm, hex]) => ({ label: algorithm, value: hex })),
        ...[...annotations].map(([key, value]) => ({ label: `annotation ${key}`, value })),
      ],
    })),
  ]
}

function entryLine(
  { logIndex, logId, kind, version, integratedTime, inclusionPromise, inclusionProof, canonicalizedBody }: LogEntry,
  index: number,
): Line {
  const origin = inclusionProof?.checkpoint?.split('\n')[0]
  return {
    label: `Log entry ${String(index + 1)}`,
    below: [
      { label: 'Log index', value: String(logIndex) },
      { label: 'Log id', value: encodeHex(logId) },
      { label: 'Kind', value: `${kind} ${version}` },
      { label: 'Integrated time', value: integratedTime === undefined ? 'none' : formatRfc3339(integratedTime) },
      { label: 'Inclusion promise', value: inclusionPromise === undefined ? 'no' : 'yes' },
      {
        label: 'Inclusion proof',
        value: inclusionProof === undefined ? 'no' : `in a tree of ${String(inclusionProof.treeSize)} entries`,
      },
      ...(origin === undefined ? [] : [{ label: 'Checkpoint of', value: origin }]),
      ...attempt(() => [{ label: 'Body', value: bodyKind(canonicalizedBody) }]),
    ],
  }
}

function bodyKind(body: Uint8Array): string {
  const document = parseJson(body)
  const text = (name: string): string => {
    const value = isJsonObject(document) ? document[name] : undefined
    return typeof value === 'string' ? value : 'unknown'
  }
  return `${text('kind')} ${text('apiVersion')}`
}

function timestampLine(der: Uint8Array, index: number): Line {
  const label = `Timestamp ${String(index + 1)}`
  return {
    label,
    below: attempt(() => [
      { label: 'Time', value: formatRfc3339(grantedToken(parseTimestampResponse(der)).info.genTime) },
    ]),
  }
}

/** What cannot be read is said to be so; the rest of the bundle is shown all the same. */
function attempt(read: () => readonly Line[]): readonly Line[] {
  try {
    return read()
  } catch (error) {
    if (!isCodedError(error)) throw error
    return [{ label: 'Cannot be read', value: error.message }]
  }
}
