/** Which source package a distribution's package was built from, as the tools say it. @module */
import type { PackageUrl } from '../purl/purl.js'
import type { SourcePackage } from './component.js'

/** Properties of CycloneDX components, by name. */
type Properties = ReadonlyMap<string, string>

/** By the properties that Trivy and Syft write, or else by the package URL. */
export function sourceFromProperties(properties: Properties, purl: PackageUrl | undefined): SourcePackage | undefined {
  const name = properties.get('aquasecurity:trivy:SrcName')
  if (name !== undefined) return { name, version: trivyVersion(properties) }
  const rpm = properties.get('syft:metadata:sourceRpm')
  if (rpm !== undefined) return sourceRpm(rpm)
  const syft = properties.get('syft:metadata:source') ?? properties.get('syft:metadata:originPackage')
  if (syft !== undefined) return { name: syft, version: properties.get('syft:metadata:sourceVersion') }
  return sourceFromPurl(purl)
}

function trivyVersion(properties: Properties): string | undefined {
  const version = properties.get('aquasecurity:trivy:SrcVersion')
  const [epoch, release] = ['SrcEpoch', 'SrcRelease'].map((name) => properties.get(`aquasecurity:trivy:${name}`))
  if (version === undefined) return undefined
  const prefix = epoch === undefined || epoch === '0' ? '' : `${epoch}:`
  return `${prefix}${version}${release === undefined ? '' : `-${release}`}`
}

/** The qualifier that Syft writes: `upstream=openssl`, `glibc@2.36-9`, `openssl-1.1.1k-7.el8.src.rpm`. */
export function sourceFromPurl(purl: PackageUrl | undefined): SourcePackage | undefined {
  const upstream = purl?.qualifiers.get('upstream')
  if (upstream === undefined) return undefined
  if (upstream.endsWith('.rpm')) return sourceRpm(upstream)
  const at = upstream.lastIndexOf('@')
  return at <= 0
    ? { name: upstream, version: undefined }
    : { name: upstream.slice(0, at), version: upstream.slice(at + 1) }
}

/** `name-version-release.src.rpm` */
function sourceRpm(file: string): SourcePackage | undefined {
  const match = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file)
  return match === null ? undefined : { name: match[1] ?? '', version: match[2] }
}

/** The sentence that Trivy writes into SPDX: `built package from: openssl 1.1.1n-0+deb11u3`. */
export function sourceFromSentence(
  sentence: string | undefined,
  purl: PackageUrl | undefined,
): SourcePackage | undefined {
  const match = /^built package from: (\S+)(?: (\S+))?$/.exec(sentence ?? '')
  return match === null ? sourceFromPurl(purl) : { name: match[1] ?? '', version: match[2] }
}
