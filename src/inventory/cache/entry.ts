/**
 * What the cache keeps of attestations that were verified: a line for each, and behind that of a bill of materials a line for
 * each component, so that a question takes apart only the lines that may matter.
 *
 * @module
 */
import type { JsonValue } from '#encoding/json'
import { formatPurl } from '#formats/purl/purl'
import type { Completeness, Distribution, Sbom, SbomComponent } from '#formats/sbom/component'
import type { UnixMillis } from '#time'
import type { Signer } from '../model.js'

interface Verified {
  readonly signer: Signer
  readonly signedAt: UnixMillis | undefined
}

/** A component as it is kept: the package URL stays a text until somebody asks for it. */
export interface StoredComponent extends Omit<SbomComponent, 'purl'> {
  readonly purl: string | undefined
}

/** A bill of materials without its components. */
export interface SbomHeader extends Verified {
  readonly kind: 'sbom'
  readonly format: Sbom['format']
  readonly version: string
  readonly completeness: Completeness
  readonly contained: number
  readonly distribution: Distribution | undefined
  /** How many components there are. */
  readonly count: number
}

export interface StoredSbom extends SbomHeader {
  readonly components: readonly StoredComponent[]
}

export interface StoredVex extends Verified {
  readonly kind: 'vex'
  readonly id: string
  /** How many. */
  readonly statements: number
  readonly predicate: JsonValue
}

export type StoredAttestation = StoredSbom | StoredVex
export type AttestationHeader = SbomHeader | StoredVex

/** The text of an entry. */
export function packAttestations(attestations: readonly StoredAttestation[]): string {
  const lines: string[] = []
  for (const attestation of attestations) {
    if (attestation.kind === 'vex') lines.push(JSON.stringify(attestation))
    else {
      const { components, ...header } = attestation
      lines.push(JSON.stringify(header))
      for (const component of components) lines.push(JSON.stringify(pack(component)))
    }
  }
  return lines.join('\n')
}

/** The attestations of an entry, without their components. */
export function attestationHeaders(text: string): readonly AttestationHeader[] {
  return text.split('\n').flatMap((line) => (isHeader(line) ? [parseHeader(line)] : []))
}

/** Headers are objects, components are lists. */
export function isHeader(line: string): boolean {
  return line.startsWith('{')
}

/** @param line of an entry that was unsealed: its digest says that this very program wrote it, in this format */
export function parseHeader(line: string): AttestationHeader {
  return JSON.parse(line) as AttestationHeader
}

/** `[name, version, purl, group, locations, cpes, hashes, source name, source version]`, as far as there is something. */
type PackedComponent = readonly (string | null | readonly string[])[]

/** @param line of an entry that was unsealed, and no header */
export function parseComponent(line: string): StoredComponent {
  const packed = JSON.parse(line) as PackedComponent
  const text = (at: number): string | undefined => {
    const value = packed[at]
    return typeof value === 'string' ? value : undefined
  }
  const list = (at: number): readonly string[] => {
    const value = packed[at]
    return Array.isArray(value) ? (value as readonly string[]) : []
  }
  const source = text(7)
  return {
    name: text(0) ?? '',
    version: text(1),
    purl: text(2),
    group: text(3),
    locations: list(4),
    cpes: list(5),
    hashes: list(6),
    source: source === undefined ? undefined : { name: source, version: text(8) },
  }
}

/**
 * The names that a component can go by, read off its line, which is many times faster than taking the line apart; undefined
 * where that is not safe.
 */
export function namesInLine(line: string): readonly string[] | undefined {
  // An escape could hide anything, and behind the lists there is the source package.
  if (line.includes('\\') || (line.endsWith('"]') && line.includes('],'))) return undefined
  const name = line.slice(2, line.indexOf('"', 2))
  const names = [name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf(':')) + 1)]
  const start = line.indexOf('"pkg:')
  if (start >= 0) {
    const purl = line.slice(start + 1, line.indexOf('"', start + 1)).replace(/[?#].*$/, '')
    const named = purl.slice(purl.lastIndexOf('/') + 1).replace(/@.*$/, '')
    if (named.includes('%')) return undefined
    names.push(named)
  }
  if (line.includes('"cpe:')) for (const [, product = ''] of line.matchAll(CPE)) names.push(product)
  return names
}

const CPE = /"cpe:(?:2\.3:|\/)[aho]:[^:"]*:([^:"]+)/gi

function pack({ name, version, purl, group, locations, cpes, hashes, source }: StoredComponent): PackedComponent {
  const packed = [
    name,
    version ?? null,
    purl ?? null,
    group ?? null,
    locations,
    cpes,
    hashes,
    source?.name ?? null,
    source?.version ?? null,
  ]
  let end = packed.length
  while (end > 1 && (packed[end - 1] === null || packed[end - 1]?.length === 0)) end--
  return packed.slice(0, end)
}

/** The components of a bill of materials in the form that is kept. */
export function storedComponents(components: Sbom['components']): readonly StoredComponent[] {
  return components.map((component) => ({
    ...component,
    purl: component.purl === undefined ? undefined : formatPurl(component.purl),
  }))
}
