/** What the cache keeps of an attestation that was verified: enough to answer, in little space. @module */
import type { JsonValue } from '#encoding/json'
import type { Completeness, Distribution, Sbom, SbomComponent } from '#formats/sbom/component'
import { formatPurl } from '#formats/purl/purl'
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

export interface StoredSbom extends Verified {
  readonly kind: 'sbom'
  readonly format: Sbom['format']
  readonly version: string
  readonly completeness: Completeness
  readonly contained: number
  readonly distribution: Distribution | undefined
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

/** `[name, version, purl, group, locations, cpes, hashes, source name, source version]`, as far as there is something. */
type PackedComponent = readonly (string | null | readonly string[])[]

export function packAttestations(attestations: readonly StoredAttestation[]): string {
  return JSON.stringify(
    attestations.map((each) => (each.kind === 'vex' ? each : { ...each, components: each.components.map(pack) })),
  )
}

/** @param text what {@link packAttestations} made; whoever calls this has seen its digest */
export function unpackAttestations(text: string): readonly StoredAttestation[] {
  // The digest before the text says that this very program wrote it, in this format.
  const packed = JSON.parse(text) as readonly (
    StoredVex | (Omit<StoredSbom, 'components'> & { readonly components: readonly PackedComponent[] })
  )[]
  return packed.map((each) => (each.kind === 'vex' ? each : { ...each, components: each.components.map(unpack) }))
}

/** The components of a bill of materials in the form that is kept. */
export function storedComponents(components: Sbom['components']): readonly StoredComponent[] {
  return components.map((component) => ({
    ...component,
    purl: component.purl === undefined ? undefined : formatPurl(component.purl),
  }))
}

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

function unpack(packed: PackedComponent): StoredComponent {
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
