/** Ecosystems of the OSV schema: the order of their versions, and how package URLs name their packages. @module */
import type { PackageUrl } from '../purl/purl.js'
import { compareAlpine } from '../versions/alpine.js'
import { compareDebian } from '../versions/debian.js'
import { compareMaven } from '../versions/maven.js'
import type { CompareVersions } from '../versions/order.js'
import { comparePackagist } from '../versions/packagist.js'
import { comparePep440 } from '../versions/pep440.js'
import { compareCran, compareHackage } from '../versions/plain.js'
import { compareRpm } from '../versions/rpm.js'
import { compareRubygems } from '../versions/rubygems.js'
import { compareBitnami, compareGo, compareNuget, comparePub, compareSemver } from '../versions/semver.js'

export interface Ecosystem {
  /** Absent where nobody wrote the order down. */
  readonly compare?: CompareVersions
  /** Types of its package URLs, and for distributions the namespaces. */
  readonly purlTypes: readonly string[]
  readonly namespaces?: readonly string[]
  /** Set: records are about a release of a distribution, and about source packages. */
  readonly distribution?: true
  /** The name that records use; the name alone where nothing is said. */
  readonly nameOf?: (purl: PackageUrl) => string
}

const joined =
  (separator: string) =>
  ({ namespace, name }: PackageUrl): string =>
    namespace === undefined ? name : `${namespace}${separator}${name}`
const slashed = joined('/')

function distribution(purlType: string, compare: CompareVersions, ...namespaces: readonly string[]): Ecosystem {
  return { purlTypes: [purlType], compare, namespaces, distribution: true }
}

/** By the name before the colon. What is not here is matched by name alone, and is never more than possible. */
export const ECOSYSTEMS: ReadonlyMap<string, Ecosystem> = new Map<string, Ecosystem>([
  ['AlmaLinux', distribution('rpm', compareRpm, 'almalinux', 'alma')],
  ['Alpaquita', distribution('apk', compareAlpine, 'alpaquita')],
  ['Alpine', distribution('apk', compareAlpine, 'alpine')],
  ['Azure Linux', distribution('rpm', compareRpm, 'azurelinux', 'azure-linux', 'mariner', 'cbl-mariner')],
  ['BellSoft Hardened Containers', distribution('apk', compareAlpine, 'bellsoft-hardened-containers')],
  ['Bioconductor', { purlTypes: ['bioconductor'], compare: compareSemver }],
  ['Bitnami', { purlTypes: ['bitnami'], compare: compareBitnami }],
  ['Chainguard', distribution('apk', compareAlpine, 'chainguard')],
  ['CleanStart', distribution('apk', compareAlpine, 'cleanstart')],
  ['ConanCenter', { purlTypes: ['conan'], compare: compareSemver }],
  ['CRAN', { purlTypes: ['cran'], compare: compareCran }],
  ['crates.io', { purlTypes: ['cargo'], compare: compareSemver }],
  ['Debian', distribution('deb', compareDebian, 'debian')],
  ['Echo', distribution('deb', compareDebian, 'echo')],
  ['GitHub Actions', { purlTypes: ['githubactions', 'github'], compare: compareSemver, nameOf: slashed }],
  ['Go', { purlTypes: ['golang'], compare: compareGo, nameOf: slashed }],
  ['Hackage', { purlTypes: ['hackage'], compare: compareHackage }],
  ['Hex', { purlTypes: ['hex'], compare: compareSemver, nameOf: slashed }],
  ['Julia', { purlTypes: ['julia'], compare: compareSemver }],
  ['Kubernetes', { purlTypes: ['golang'], compare: compareGo, nameOf: slashed }],
  ['Mageia', distribution('rpm', compareRpm, 'mageia')],
  ['Maven', { purlTypes: ['maven'], compare: compareMaven, nameOf: joined(':') }],
  ['MinimOS', distribution('apk', compareAlpine, 'minimos')],
  ['npm', { purlTypes: ['npm'], compare: compareSemver, nameOf: slashed }],
  ['NuGet', { purlTypes: ['nuget'], compare: compareNuget }],
  ['opam', { purlTypes: ['opam'], compare: compareDebian }],
  ['openEuler', distribution('rpm', compareRpm, 'openeuler')],
  ['openSUSE', distribution('rpm', compareRpm, 'opensuse')],
  ['Packagist', { purlTypes: ['composer'], compare: comparePackagist, nameOf: slashed }],
  ['Photon OS', distribution('rpm', compareRpm, 'photon')],
  ['Pub', { purlTypes: ['pub'], compare: comparePub }],
  // PEP 503: runs of the three separators are one dash.
  ['PyPI', { purlTypes: ['pypi'], compare: comparePep440, nameOf: ({ name }) => name.replace(/[-_.]+/g, '-') }],
  ['Red Hat', distribution('rpm', compareRpm, 'redhat', 'rhel')],
  ['Rocky Linux', distribution('rpm', compareRpm, 'rocky', 'rocky-linux', 'rockylinux')],
  ['RubyGems', { purlTypes: ['gem'], compare: compareRubygems }],
  ['SUSE', distribution('rpm', compareRpm, 'suse', 'sles')],
  ['SwiftURL', { purlTypes: ['swift'], compare: compareSemver, nameOf: slashed }],
  ['Ubuntu', distribution('deb', compareDebian, 'ubuntu')],
  ['VSCode', { purlTypes: ['vscode-extension'], compare: compareSemver, nameOf: joined('.') }],
  ['Wolfi', distribution('apk', compareAlpine, 'wolfi')],
])
