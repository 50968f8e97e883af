/** Asking an inventory: every bill of materials once, from the cache alone. @module */
import { isVexPredicateType } from '#formats/openvex/document'
import { judgeVex, type VexSubject } from '#formats/openvex/judgement'
import { parsePurl } from '#formats/purl/purl'
import type { EntryStore } from '../cache/entries.js'
import type { Inventory, InventoryImage, PlatformImage, Signer, Unknown } from '../model.js'
import {
  EXCUSING,
  verdictOf,
  type Answer,
  type Excuse,
  type Finding,
  type ImageFindings,
  type UnknownImage,
} from './answer.js'
import { createEntryReader, type EntryReader, type SignedVex } from './entry-reader.js'
import { mergeFindings } from './findings.js'
import type { ComponentMatcher } from './matcher.js'
import type { BrokenRecord } from './osv-folder.js'
import type { Vulnerability } from './vulnerability.js'

export interface Question {
  readonly matcher: ComponentMatcher
  readonly vulnerabilities: readonly Vulnerability[]
  readonly broken: readonly BrokenRecord[]
  readonly notes: readonly string[]
}

/** Looks through everything. What the cache has lost is unknown, as if it had never been verified. */
export async function search(inventory: Inventory, entries: EntryStore, question: Question): Promise<Answer> {
  const reader = createEntryReader(entries, question.matcher)
  const found: ImageFindings[] = []
  const possible: ImageFindings[] = []
  const excused: ImageFindings[] = []
  const unknown: UnknownImage[] = []
  for (const image of inventory.images) {
    if (image.unknown !== undefined)
      unknown.push({ image, digest: image.digest, platform: undefined, unknown: image.unknown })
    for (const each of image.platforms) {
      const place = { image, digest: each.digest, platform: each.platform }
      const { findings, lost } = await searchPlatform(reader, image, each)
      const counting = findings.filter(({ vex }) => vex === undefined || !EXCUSING.has(vex.status))
      const certain = counting.filter(({ standing }) => standing !== 'possible')
      collect(found, { ...place, findings: certain })
      collect(possible, { ...place, findings: counting.filter(({ standing }) => standing === 'possible') })
      collect(excused, { ...place, findings: findings.filter((finding) => !counting.includes(finding)) })
      const reason = lost ?? each.unknown
      // Of an image that has it, what else is not known is no part of the answer.
      if (reason !== undefined && certain.length === 0) unknown.push({ ...place, unknown: reason })
    }
  }
  const { matcher, vulnerabilities, broken } = question
  const notes = [...question.notes, ...(vulnerabilities.length === 0 ? [] : vexNotes(inventory))]
  const answer = {
    question: matcher.question,
    inventory,
    found,
    possible,
    excused,
    unknown,
    vulnerabilities,
    broken,
    notes,
  }
  return { ...answer, verdict: verdictOf(answer) }
}

/** A document that could have excused something, and does not count. */
function vexNotes({ images }: Inventory): readonly string[] {
  const ignored = images.flatMap(({ platforms }) => platforms.flatMap((each) => each.ignored))
  const documents = new Set(
    ignored
      .filter(({ code, predicateType }) => code === 'EXAMINE_VEX_UNTRUSTED' || isVexPredicateType(predicateType))
      .map(({ attestation }) => attestation),
  )
  return documents.size === 0 ? [] : [`OpenVEX documents that count for nothing: ${String(documents.size)}`]
}

function collect(into: ImageFindings[], image: ImageFindings): void {
  if (image.findings.length > 0) into.push(image)
}

async function searchPlatform(
  reader: EntryReader,
  image: InventoryImage,
  platform: PlatformImage,
): Promise<{ readonly findings: readonly Finding[]; readonly lost: Unknown | undefined }> {
  const matches = await Promise.all(platform.sboms.map(async (sbom) => ({ sbom, matched: await reader.matches(sbom) })))
  const findings = mergeFindings(matches.map(({ sbom, matched }) => ({ sbom, matched: matched ?? [] })))
  const lost: Unknown = { reason: 'CACHE_LOST', detail: 'a verified bill of materials is no longer in the cache' }
  const hasVulnerability = findings.some(({ vulnerability }) => vulnerability !== undefined)
  const documents = hasVulnerability ? await Promise.all(platform.vex.map(async (vex) => await reader.vex(vex))) : []
  const attested = documents.flatMap((signed) => signed ?? [])
  const subject = subjectOf(image, platform)
  return {
    findings: findings.map((finding) => ({ ...finding, vex: excuseFor(finding, attested, subject) })),
    lost: matches.some(({ matched }) => matched === undefined) ? lost : undefined,
  }
}

/** Names under which a statement may be about the image. */
function subjectOf({ digest, index, repositories }: InventoryImage, platform: PlatformImage): VexSubject {
  return {
    digests: [platform.digest, digest, index].filter((each) => each !== undefined),
    // Docker Hub goes by two names.
    repositories: repositories.flatMap((name) => [name, name.replace(/^index\.docker\.io\//, 'docker.io/')]),
  }
}

function excuseFor(
  { component, vulnerability }: Finding,
  signed: readonly SignedVex[],
  subject: VexSubject,
): Excuse | undefined {
  if (vulnerability === undefined || signed.length === 0) return undefined
  const all = signed.map((each) => ({ ...each, signer: signerKey(each.signer), by: each.signer }))
  const { names, records } = vulnerability
  const judgement = judgeVex(all, subject, {
    // A distribution's advisory goes by its own name.
    vulnerability: new Set([...names, ...records.map(({ id }) => id)]),
    target: { purls: component.purl === undefined ? [] : [parsePurl(component.purl)], hashes: component.hashes },
  })
  if (judgement === undefined) return undefined
  const { status, statement, attested } = judgement
  return {
    status,
    justification: statement.justification,
    statement: statement.impact ?? statement.action,
    document: attested.document.id,
    signer: attested.by,
  }
}

function signerKey({ identity, issuer }: Signer): string {
  return JSON.stringify([identity, issuer])
}
