/** Images as resources name them, and how policies select among them. @module */
import type { Reference, Repository } from '#formats/oci/reference'

/** An image as a resource names it. */
export interface NamedImage {
  /** Exactly what the resource says. */
  readonly text: string
  readonly reference: Reference
}

/** One place in a resource that names an image. */
export interface ImageOccurrence {
  /** `containers`, `initContainers`, `ephemeralContainers`, `volumes`, or what a custom extractor calls it. */
  readonly group: string
  /** The container's or volume's name; its index where it has none. */
  readonly name: string
  /** For people: `spec.template.spec.containers[0].image`. */
  readonly path: string
  /** For patches (RFC 6901): `/spec/template/spec/containers/0/image`. */
  readonly pointer: string
  readonly image: NamedImage
}

/** What a name stood for when it was looked up; looked up once a review, so that what is verified is what runs. */
export interface PinnedImage {
  readonly repository: Repository
  /** `sha256:…` of the manifest or index. */
  readonly digest: string
}

/** Selects images. Each language has its own rules; none is translated into another's. */
export type ImageSelector =
  /** ClusterImagePolicy: `*` stays within a path part, `**` crosses parts; on the full name. */
  | { readonly kind: 'cip-glob'; readonly glob: string }
  /** Kyverno: `*` and `?` cross everything; on tag form and digest form, with either spelling of Docker Hub. */
  | { readonly kind: 'wildcard'; readonly pattern: string }
  /** An expression of a language of its own. */
  | {
      readonly kind: 'expression'
      readonly source: string
      /** `nothing`: what the name stands for need not be looked up. Absent: it may matter. */
      readonly digestDecides?: 'nothing'
      readonly selects: (image: NamedImage, pinned: PinnedImage | undefined) => boolean
    }

/** Which images a rule is about: any of `include` and none of `skip`. */
export interface ImageSelection {
  readonly include: readonly ImageSelector[]
  /** Selected but let pass unverified, by the policy's own words. */
  readonly skip: readonly ImageSelector[]
}
