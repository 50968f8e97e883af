/** Sets of attestors, and sets within sets. @module */
import { isCodedError } from '#errors'
import { certificateKey } from '#formats/x509/certificate-key'
import { verifyCertificateSignature } from '#formats/x509/certificate-signature'
import type { Certificate } from '#formats/x509/certificate'
import { equalBytes } from '#encoding/bytes'
import type { Attestor } from '../internal/attestor.js'
import type { Fields } from '../internal/fields.js'
import { invalidValue } from './complain.js'
import { readEntry } from './entry.js'
import type { EntryAttestor, EntryDefaults, ReadEntry } from './entry.js'
import type { VerifyReading } from './reading.js'

/** So many of its members must have signed. */
export interface AttestorSet {
  /** `.attestors[0]`, `.attestors[0].entries[1].attestor` */
  readonly name: string
  readonly required: number
  readonly members: readonly SetMember[]
}

export type SetMember =
  | { readonly kind: 'attestor'; readonly attestor: Attestor }
  | { readonly kind: 'set'; readonly set: AttestorSet }
  | { readonly kind: 'nobody'; readonly name: string; readonly why: string }

/** What reading sets takes. */
export interface SetReading {
  readonly defaults: EntryDefaults
  readonly reading: VerifyReading
  /** Filled in while reading: certificates that must be of their chains. */
  readonly issued: IssuedCertificate[]
}

/** A certificate that a policy says was issued by a chain. */
export interface IssuedCertificate {
  readonly path: string
  readonly certificate: Certificate
  readonly issuers: readonly Certificate[]
}

/** Deepest set within a set. */
const MAX_DEPTH = 8

/** The sets of `attestors`, all of which must be satisfied. */
export function readAttestorSets(fields: Fields, at: string, context: SetReading): readonly AttestorSet[] {
  return fields
    .objects('attestors')
    .map((set, index) => readSet(set, { name: `${at}.attestors[${String(index)}]`, depth: 0 }, context))
}

function readSet(
  fields: Fields,
  { name, depth }: { readonly name: string; readonly depth: number },
  context: SetReading,
): AttestorSet {
  fields.only('count', 'entries')
  const entries = fields.objects('entries')
  if (depth > MAX_DEPTH) {
    fields.complaints.add(`${fields.path}: Invalid value: sets of attestors are nested too deeply`)
    return { name, required: 0, members: [] }
  }
  if (entries.length === 0) invalidValue(fields, 'An entry is required')
  const members: SetMember[] = []
  let open = false
  for (const entry of entries) {
    const nested = entry.object('attestor')
    if (nested !== undefined) {
      // What else stands beside a set would be asked of nobody; the algorithm is what the schema puts in.
      const others = Object.keys(entry.value).filter((name) => name !== 'attestor' && name !== 'signatureAlgorithm')
      if (others.length > 0) invalidValue(entry, 'a nested attestor stands alone')
      const place = { name: `${name}.entries[${String(members.length)}].attestor`, depth: depth + 1 }
      members.push({ kind: 'set', set: readSet(nested, place, context) })
      continue
    }
    const read = readEntry(entry, context.defaults, context.reading)
    if (read.kind === 'open') open = true
    if (!context.reading.countAttestors(fields, read.kind === 'attestors' ? read.attestors.length : 1)) break
    members.push(...membersOf(read, { name, before: members.length, fields: entry, context }))
  }
  return { name, required: readCount(fields, open ? undefined : members.length), members }
}

interface MemberPlace {
  readonly name: string
  readonly before: number
  readonly fields: Fields
  readonly context: SetReading
}

/** Keys of one text count one by one, and are numbered so. */
function membersOf(read: ReadEntry, { name, before, fields, context }: MemberPlace): readonly SetMember[] {
  const place = (index: number): string => `${name}.entries[${String(before + index)}]`
  if (read.kind === 'open') return []
  if (read.kind === 'nobody') return [{ kind: 'nobody', name: `${place(0)}${read.suffix}`, why: read.why }]
  return read.attestors.map((each, index): SetMember => {
    noteIssuers(each, fields, context)
    return { kind: 'attestor', attestor: { ...each.attestor, name: `${place(index)}${each.suffix}` } }
  })
}

function noteIssuers({ attestor, issuers }: EntryAttestor, fields: Fields, { issued }: SetReading): void {
  const { signer } = attestor
  if (signer.kind !== 'certificate' || signer.certificate === undefined || issuers.length === 0) return
  issued.push({ path: fields.at('certificates'), certificate: signer.certificate, issuers })
}

/** All of them where nothing is said, or 0. Never none: a set that asks for nobody would admit everything. */
function readCount(fields: Fields, members: number | undefined): number {
  const count = fields.integer('count') ?? 0
  if (count < 0) invalidValue(fields, 'should be greater than or equal to 1', 'count')
  if (members !== undefined && count > members) invalidValue(fields, 'Count cannot exceed length of entries')
  return count > 0 ? count : Math.max(1, members ?? 1)
}

/** Complains about certificates that their chains did not issue. */
export async function checkIssued(issued: readonly IssuedCertificate[], fields: Fields): Promise<void> {
  for (const { path, certificate, issuers } of issued) {
    if (await isIssued(certificate, issuers)) continue
    fields.complaints.add(`${path}: Invalid value: the certificate was not issued by the certChain beside it`)
  }
}

/** Each certificate of the text is trusted by standing in it, so that one of them issued it is enough. */
async function isIssued(certificate: Certificate, issuers: readonly Certificate[]): Promise<boolean> {
  for (const issuer of issuers) {
    if (equalBytes(issuer.subject.der, certificate.issuer.der) && (await isSignedBy(certificate, issuer))) return true
  }
  return false
}

async function isSignedBy(certificate: Certificate, issuer: Certificate): Promise<boolean> {
  try {
    await verifyCertificateSignature(certificate, certificateKey(issuer))
    return true
  } catch (error) {
    if (!isCodedError(error)) throw error
    return false
  }
}
