/** Media types of bundles, which carry the version. @module */

import type { JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'

/** The versions that exist. */
export type BundleVersion = '0.1' | '0.2' | '0.3'

/** What is written. */
export const BUNDLE_MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json'

/** What every bundle's media type begins with. */
export const BUNDLE_MEDIA_TYPE_PREFIX = 'application/vnd.dev.sigstore.bundle'

/** Whether a JSON value says that it is a bundle, of whatever version. */
export function isBundleJson(value: JsonValue): boolean {
  const mediaType = isJsonObject(value) ? value['mediaType'] : undefined
  return typeof mediaType === 'string' && mediaType.startsWith(BUNDLE_MEDIA_TYPE_PREFIX)
}

const PARAMETER_SPELLING = /^application\/vnd\.dev\.sigstore\.bundle\+json;version=0\.([123])$/
// A patch number changes nothing that a reader would see.
const SUFFIX_SPELLING = /^application\/vnd\.dev\.sigstore\.bundle\.v0\.([123])(?:\.\d{1,4})?\+json$/

/** The version that a media type states, in the old spelling or the new; undefined when it is no known bundle. */
export function bundleVersion(mediaType: string): BundleVersion | undefined {
  const minor = (PARAMETER_SPELLING.exec(mediaType) ?? SUFFIX_SPELLING.exec(mediaType))?.[1]
  return minor === undefined ? undefined : VERSIONS.get(minor)
}

const VERSIONS: ReadonlyMap<string, BundleVersion> = new Map([
  ['1', '0.1'],
  ['2', '0.2'],
  ['3', '0.3'],
])
