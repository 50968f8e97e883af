/** An image as something names it, before anybody was asked about it. @module */
import type { Workload } from '../model.js'

export interface Sighting {
  /** The name, as it is written. */
  readonly name: string
  readonly workload: Workload | undefined
  /** What a container runtime says that it runs: a repository and a digest. */
  readonly running: RunningImage | undefined
  /** `linux/arm64`, where it is known on what it runs. */
  readonly platform: string | undefined
}

export interface RunningImage {
  readonly repository: string
  /** `sha256:…` of the manifest, or of the index. */
  readonly digest: string
}

/** What was seen, and what is to be said about it. */
export interface Collected {
  readonly sightings: readonly Sighting[]
  /** In words. */
  readonly source: string
  readonly notes: readonly string[]
}
