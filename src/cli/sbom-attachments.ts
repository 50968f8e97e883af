/** What commands about attached bills of materials say and know in common. @module */

/** As cosign says it, whichever of the commands it is. */
export const SBOM_DEPRECATION =
  'WARNING: SBOM attachments are deprecated: nobody signs them. Please use SBOM attestations (attest --type cyclonedx|spdxjson).'

const MEDIA_TYPES = {
  spdx: { text: 'text/spdx', json: 'text/spdx+json' },
  cyclonedx: { xml: 'application/vnd.cyclonedx+xml', json: 'application/vnd.cyclonedx+json' },
  syft: { json: 'application/vnd.syft+json' },
} as const

export type SbomType = keyof typeof MEDIA_TYPES
export type SbomFormat = 'json' | 'xml' | 'text'

/** The media type that a bill of materials goes by; undefined if it does not come in the format. */
export function sbomMediaType(type: SbomType, format: SbomFormat): string | undefined {
  const formats: Readonly<Partial<Record<SbomFormat, string>>> = MEDIA_TYPES[type]
  return formats[format]
}

/** The format that is meant where none is named. */
export function usualFormat(type: SbomType, path: string): SbomFormat {
  if (type === 'syft' || path.endsWith('.json')) return 'json'
  return type === 'spdx' ? 'text' : 'xml'
}
