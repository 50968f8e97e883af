/** What is to be admitted: a resource with the circumstances that policies may ask about. @module */
import type { JsonObject } from '#encoding/json'

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export interface ReviewUser {
  readonly username: string
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly clusterRoles: readonly string[]
}

/** Where a kind that is not Kubernetes' own names images, as whoever runs the gate declares it. */
export interface DeclaredPlaces {
  /** Paths of pod specifications: `['spec', 'template', 'spec']`. */
  readonly podSpecs: readonly (readonly string[])[]
  /** Paths of texts that name an image; `*` stands for every element of a list or member of an object. */
  readonly images: readonly (readonly string[])[]
}

/** One admission request, or a resource from a file that stands for one. */
export interface Review {
  readonly operation: Operation
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string }
  /** The plural and, if it is one, the subresource. */
  readonly resource: {
    readonly group: string
    readonly version: string
    readonly resource: string
    readonly subresource?: string
  }
  readonly name: string
  /** Absent for what is not in a namespace. */
  readonly namespace?: string
  readonly object: JsonObject
  readonly oldObject?: JsonObject
  /** The namespace itself, where it is known. */
  readonly namespaceObject?: JsonObject
  readonly user?: ReviewUser
  /** Of kinds that are declared to run images. */
  readonly declared?: DeclaredPlaces
  /** The AdmissionRequest as it came; policies can ask for any of it. */
  readonly request?: JsonObject
}
