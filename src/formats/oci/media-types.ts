/** Media types and annotations of images and of what is attached to them. @module */

/** Media types. */
export const MEDIA_TYPES = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar+gzip',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
} as const

/** What a registry is asked for when a manifest is wanted, whatever it is. */
export const MANIFEST_MEDIA_TYPES: readonly string[] = [
  MEDIA_TYPES.ociManifest,
  MEDIA_TYPES.ociIndex,
  MEDIA_TYPES.dockerManifest,
  MEDIA_TYPES.dockerManifestList,
]

/** Annotations. */
export const ANNOTATIONS = {
  created: 'org.opencontainers.image.created',
  /** On a bundle's manifest: `dsse-envelope` or `message-signature`. */
  bundleContent: 'dev.sigstore.bundle.content',
  /** On a bundle's manifest: what kind of statement is inside. */
  bundlePredicateType: 'dev.sigstore.bundle.predicateType',
  /** On a layer of a `.sig` or `.att` image. */
  signature: 'dev.cosignproject.cosign/signature',
  certificate: 'dev.sigstore.cosign/certificate',
  chain: 'dev.sigstore.cosign/chain',
  bundle: 'dev.sigstore.cosign/bundle',
  timestamp: 'dev.sigstore.cosign/rfc3161timestamp',
  predicateType: 'predicateType',
  /** In an OCI layout: what an entry of its index is. */
  kind: 'kind',
  /** In an OCI layout: the tag of an entry. */
  refName: 'org.opencontainers.image.ref.name',
} as const
