/** The signing configuration: which services a signer talks to. @module */
import type { TimeRange } from '../trusted-root/trusted-root.js'

/** One service instance. */
export interface Service {
  /** Base URL; for a TSA the full address to post to. */
  readonly url: string
  readonly majorApiVersion: number
  readonly validFor: TimeRange
  readonly operator: string
}

/** How many of the eligible services a signer must use. */
export type ServiceSelector =
  { readonly selector: 'ANY' } | { readonly selector: 'ALL' } | { readonly selector: 'EXACT'; readonly count: number }

/** A signing configuration, version 0.2. Lists are newest first. */
export interface SigningConfig {
  readonly caUrls: readonly Service[]
  readonly oidcUrls: readonly Service[]
  readonly rekorTlogUrls: readonly Service[]
  readonly tsaUrls: readonly Service[]
  /** Absent means that the services of that kind may not be selected at all. */
  readonly rekorTlogConfig: ServiceSelector | undefined
  readonly tsaConfig: ServiceSelector | undefined
}
