/** What every format of a bill of materials becomes: components, and how much they are of the whole. @module */
import type { PackageUrl } from '../purl/purl.js'

/** A package as a distribution builds it from its sources: what its security records are about. */
export interface SourcePackage {
  readonly name: string
  /** Where it is another than that of the package. */
  readonly version: string | undefined
}

/** A distribution: `debian`, `11.6`. */
export interface Distribution {
  readonly name: string
  readonly version: string | undefined
}

/** Something that is in the software. */
export interface SbomComponent {
  /** A Maven group, an npm scope, where the format has it apart from the name. */
  readonly group: string | undefined
  readonly name: string
  readonly version: string | undefined
  /** Absent where there is none, or what is there is no package URL. */
  readonly purl: PackageUrl | undefined
  readonly cpes: readonly string[]
  /** `sha256:<hex>`, in lower case. */
  readonly hashes: readonly string[]
  /** Paths in the image, where they are stated. */
  readonly locations: readonly string[]
  readonly source: SourcePackage | undefined
}

/** Whether a bill of materials says that it lists everything. */
export type Completeness = 'complete' | 'incomplete' | 'unstated'

export interface Sbom {
  readonly format: 'CycloneDX' | 'SPDX'
  /** Of the format: `1.6`, `2.3`. */
  readonly version: string
  readonly components: readonly SbomComponent[]
  /** How many of them are in the software, rather than the software itself: with none, the bill says nothing. */
  readonly contained: number
  /** Only a statement that something is left out makes it incomplete. */
  readonly completeness: Completeness
  /** What the software was built on, where a component says so. */
  readonly distribution: Distribution | undefined
}
