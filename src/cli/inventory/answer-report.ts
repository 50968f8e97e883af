/** Answers, for people and for scripts. @module */
import {
  EXCUSING,
  type Answer,
  type Excuse,
  type Finding,
  type ImageFindings,
  type UnknownImage,
  type Witness,
} from '#inventory/query/answer'
import { nameOf } from '#inventory/query/findings'
import { severitiesOf, summaryOf, type Vulnerability } from '#inventory/query/vulnerability'
import { headerDocument, imageHeader, imageName, signerDocument, takenLines } from './inventory-report.js'
import { counted, harmless, harmlessJson, labelled, sentence, signerName, table, workloadNames } from './text.js'

const VERDICTS = {
  found: 'FOUND',
  none: 'NOT FOUND: every image was looked through',
  unknown: 'NOT FOUND, and not ruled out',
} as const satisfies Record<Answer['verdict'], string>

/** Image by image, the certain first; what is not known at the end. */
export function answerText(answer: Answer, width: number): string {
  const { found, possible, excused, unknown, broken, notes, inventory, question, verdict, vulnerabilities } = answer
  const layout = { width, vulnerabilities: vulnerabilities.length }
  return [
    `${harmless(question)}: ${VERDICTS[verdict]}`,
    `${counted(countImages(found), 'image')} of ${String(inventory.images.length)}, ${String(countImages(possible))} possible, ` +
      `${String(countImages(excused))} excused, ${String(unknown.length)} unknown`,
    ...takenLines(inventory, width),
    ...(vulnerabilities.length === 1 ? vulnerabilities.flatMap((each) => describeVulnerability(each, width)) : []),
    ...notes.flatMap((note) => sentence(`note: ${note}`, width)),
    ...section('', found, layout),
    ...section('MAY BE AFFECTED', possible, layout),
    ...section('EXCUSED BY OPENVEX', excused, layout),
    ...unknownSection(unknown, width),
    ...brokenSection(answer, width),
    ...(broken.length + unknown.length > 0 ? ['', 'What is unknown is not ruled out.'] : []),
  ].join('\n')
}

function countImages(findings: readonly ImageFindings[]): number {
  return new Set(findings.map(({ image }) => image)).size
}

function describeVulnerability(vulnerability: Vulnerability, width: number): readonly string[] {
  const severity = severitiesOf(vulnerability).map(({ score }) => score)
  const records = vulnerability.records.map(({ id }) => id)
  const summary = summaryOf(vulnerability)
  const parts = [summary, severity.join(', '), `records: ${records.join(', ')}`]
  return sentence(parts.filter((part) => part !== undefined && part !== '').join('; '), width)
}

interface Layout {
  readonly width: number
  /** How many are asked about: of one its name need not stand in every row. */
  readonly vulnerabilities: number
}

function section(title: string, images: readonly ImageFindings[], layout: Layout): readonly string[] {
  if (images.length === 0) return []
  return [...(title === '' ? [] : ['', title]), ...images.flatMap((image) => imageBlock(image, layout))]
}

function imageBlock(
  { image, digest, platform, findings }: ImageFindings,
  { width, vulnerabilities }: Layout,
): readonly string[] {
  const rows = findings.map(({ component, vulnerability, standing, vex }) => [
    nameOf(component),
    component.version ?? '-',
    ...(vulnerabilities > 1 ? [vulnerability?.id ?? ''] : []),
    ...(vulnerabilities > 0 ? [statusOf({ standing, vex })] : []),
    component.locations.join(' '),
  ])
  const head = [
    'COMPONENT',
    'VERSION',
    ...(vulnerabilities > 1 ? ['VULNERABILITY'] : []),
    ...(vulnerabilities > 0 ? ['STATUS'] : []),
    'WHERE',
  ]
  const runs = workloadNames(image)
  return [
    '',
    harmless(imageName(image, platform)),
    ...labelled('digest', digest, width),
    ...(image.names.length > 1 ? labelled('also', image.names.slice(1).join(', '), width) : []),
    ...(image.basis === 'resolved'
      ? labelled('known by', 'the tag, as it was when the inventory was taken', width)
      : []),
    ...(runs === '' ? [] : labelled('runs in', runs, width)),
    ...distinctWitnesses(findings).flatMap((witness) => labelled('listed by', witnessText(witness), width)),
    ...distinctExcuses(findings).flatMap((excuse) => labelled('OpenVEX', excuseText(excuse), width)),
    ...table([head, ...rows], { width, indent: '  ' }),
  ]
}

/** What excuses says it all; what does not is said besides. */
function statusOf({ standing, vex }: Pick<Finding, 'standing' | 'vex'>): string {
  if (vex === undefined || vex.status === standing) return standing
  return EXCUSING.has(vex.status) ? vex.status : `${standing}, ${vex.status}`
}

function distinctWitnesses(findings: readonly Finding[]): readonly Witness[] {
  const all = findings.flatMap(({ witnesses }) => witnesses)
  return [...new Map(all.map((each) => [`${each.attestation} ${each.attachedTo}`, each] as const)).values()]
}

function witnessText({ format, signer, attachedTo }: Witness): string {
  return `${format} signed by ${signerName(signer)}${attachedTo === 'index' ? ', attached to the index' : ''}`
}

function distinctExcuses(findings: readonly Finding[]): readonly Excuse[] {
  const all = findings.flatMap(({ vex }) => vex ?? [])
  return [...new Map(all.map((each) => [excuseText(each), each] as const)).values()]
}

function excuseText({ status, justification, statement, signer, document }: Excuse): string {
  const reason = [justification, statement].filter((part) => part !== undefined).join(': ')
  return `${status}${reason === '' ? '' : ` (${reason})`} by ${signerName(signer)} in ${document}`
}

function unknownSection(unknown: readonly UnknownImage[], width: number): readonly string[] {
  if (unknown.length === 0) return []
  const rows = unknown.map(({ image, platform, unknown: { reason, detail } }) => [
    imageName(image, platform),
    reason,
    detail,
  ])
  return ['', ...table([['UNKNOWN IMAGE', 'REASON', 'DETAIL'], ...rows], { width })]
}

/** More would hide the rest; the JSON form has all of them. */
const SHOWN_BROKEN = 20

function brokenSection({ broken }: Answer, width: number): readonly string[] {
  if (broken.length === 0) return []
  const rows = broken.slice(0, SHOWN_BROKEN).map(({ path, message }) => [path, message])
  const more = broken.length - rows.length
  return [
    '',
    `${counted(broken.length, 'record')} could not be read; one of them may be about this:`,
    ...table([['FILE', 'WHY'], ...rows], { width, indent: '  ' }),
    ...(more > 0 ? [`  and ${String(more)} more`] : []),
  ]
}

/** Field names are stable; new ones may be added. */
export function answerJson(answer: Answer): string {
  const { question, verdict, inventory, found, possible, excused, unknown, broken, notes, vulnerabilities } = answer
  return harmlessJson({
    question,
    verdict,
    ...headerDocument(inventory),
    notes: [...inventory.notes, ...notes],
    images: inventory.images.length,
    vulnerabilities: vulnerabilities.map((each) => ({
      id: each.id,
      names: [...each.names],
      records: each.records.map(({ id }) => id),
      severities: severitiesOf(each),
      summary: summaryOf(each) ?? null,
    })),
    found: found.map(findingsDocument),
    possible: possible.map(findingsDocument),
    excused: excused.map(findingsDocument),
    unknown: unknown.map(({ image, digest, platform, unknown: { reason, detail } }) => ({
      image: imageHeader(image),
      digest: digest ?? null,
      platform: platform ?? null,
      reason,
      detail,
    })),
    brokenRecords: broken,
  })
}

function findingsDocument({ image, digest, platform, findings }: ImageFindings): Readonly<Record<string, unknown>> {
  return {
    image: imageHeader(image),
    digest,
    platform: platform ?? null,
    components: findings.map(({ component, standing, vulnerability, witnesses, vex }) => ({
      group: component.group ?? null,
      name: component.name,
      version: component.version ?? null,
      purl: component.purl ?? null,
      locations: component.locations,
      standing,
      ...(vulnerability === undefined ? {} : { vulnerability: vulnerability.id }),
      sboms: witnesses.map(({ signer, ...witness }) => ({ ...witness, signer: signerDocument(signer) })),
      ...(vex === undefined
        ? {}
        : {
            vex: {
              status: vex.status,
              justification: vex.justification ?? null,
              statement: vex.statement ?? null,
              document: vex.document,
              signer: signerDocument(vex.signer),
            },
          }),
    })),
  }
}
