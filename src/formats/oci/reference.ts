/** Image references as go-containerregistry reads them: registry, repository, tag or digest. @module */

/** A repository on a registry, normalised (`docker.io` rules). */
export interface Repository {
  /** Host and optional port, as names are printed: `index.docker.io`, `localhost:5000`. */
  readonly registry: string
  /** `library/ubuntu`. */
  readonly repository: string
}

/** A reference to an image by tag or by digest. */
export type Reference =
  | (Repository & { readonly kind: 'tag'; readonly tag: string })
  | (Repository & { readonly kind: 'digest'; /** `sha256:…` */ readonly digest: string; /** A tag that stood before the digest; without meaning. */ readonly tag?: string | undefined })
