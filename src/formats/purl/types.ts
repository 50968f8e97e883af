/** What the types of package URLs ask for: case, normal forms, namespaces. From the type definitions of purl-spec. @module */

/** The parts that rules are about. */
export interface TypedParts {
  readonly namespace: string | undefined
  readonly name: string
  readonly version: string | undefined
  readonly qualifiers: ReadonlyMap<string, string>
}

type Part = 'namespace' | 'name' | 'version'

/** The rules of one type; a type without any is taken as it is written. */
export interface TypeRules {
  /** Parts whose case means nothing: they become lower case. */
  readonly lower?: readonly Part[]
  readonly upper?: readonly Part[]
  /** What else is done to a name. */
  readonly normalizeName?: (name: string, qualifiers: ReadonlyMap<string, string>) => string
  readonly namespace?: 'required' | 'prohibited'
  readonly name?: RegExp
  readonly version?: RegExp
  readonly qualifier?: string
}

const ALL: readonly Part[] = ['namespace', 'name']
const NAME: readonly Part[] = ['name']

/**
 * Rules by type. A namespace that the specification requires is asked for only where names mean something else without it:
 * `pkg:golang/stdlib` and `pkg:deb/curl` are common in SBOMs, and what they name is clear.
 */
export const TYPE_RULES: ReadonlyMap<string, TypeRules> = new Map<string, TypeRules>([
  ['alpm', { lower: ALL }],
  ['apk', { lower: ALL }],
  ['bitbucket', { lower: ALL, namespace: 'required' }],
  ['bitnami', { lower: NAME }],
  ['brew', { lower: ALL }],
  ['chrome-extension', { lower: NAME, name: /^[a-p]{32}$/, version: /^\d+(?:\.\d+){0,3}$/ }],
  ['composer', { lower: ALL }],
  // `::` is how modules are spelled; a package URL names the distribution.
  ['cpan', { upper: ['namespace'], name: /^(?!.*::)/s }],
  ['deb', { lower: ALL }],
  ['github', { lower: ALL, namespace: 'required' }],
  ['hex', { lower: ALL }],
  ['huggingface', { lower: ['version'] }],
  ['julia', { qualifier: 'uuid' }],
  ['luarocks', { lower: ALL }],
  ['mlflow', { normalizeName: mlflowName }],
  ['oci', { lower: ['name', 'version'] }],
  ['otp', { lower: NAME, namespace: 'prohibited' }],
  ['pub', { lower: NAME, normalizeName: (name) => name.replace(/[^a-z0-9_]/g, '_') }],
  ['pypi', { lower: ['name', 'version'], normalizeName: (name) => name.replaceAll('_', '-') }],
  ['qpkg', { lower: ['namespace'] }],
  ['rpm', { lower: ['namespace'] }],
  ['swift', { namespace: 'required' }],
  ['vcpkg', { namespace: 'prohibited' }],
  ['vscode-extension', { lower: ['namespace', 'name', 'version'], namespace: 'required' }],
  ['yocto', { lower: ['namespace'] }],
])

/** Databricks takes names in any case, Azure ML does not. */
function mlflowName(name: string, qualifiers: ReadonlyMap<string, string>): string {
  return qualifiers.get('repository_url')?.includes('databricks') === true ? name.toLowerCase() : name
}

/** The parts in the normal form of their type. */
export function normalizeParts<Parts extends TypedParts>(type: string, parts: Parts): Parts {
  const rules = TYPE_RULES.get(type)
  if (rules === undefined) return parts
  const { lower = [], upper = [], normalizeName } = rules
  const fold = (part: Part, text: string | undefined): string | undefined => {
    if (lower.includes(part)) return text?.toLowerCase()
    return upper.includes(part) ? text?.toUpperCase() : text
  }
  const name = fold('name', parts.name) ?? ''
  return {
    ...parts,
    namespace: fold('namespace', parts.namespace),
    name: normalizeName === undefined ? name : normalizeName(name, parts.qualifiers),
    version: fold('version', parts.version),
  }
}

/** What a type has against the parts, in words; undefined if nothing. */
export function typeComplaint(type: string, parts: TypedParts): string | undefined {
  const rules = TYPE_RULES.get(type)
  if (rules === undefined) return undefined
  if (rules.namespace === 'required' && parts.namespace === undefined) return 'a namespace'
  if (rules.namespace === 'prohibited' && parts.namespace !== undefined) return 'no namespace'
  if (rules.name?.test(parts.name) === false) return `a name that matches ${rules.name.source}`
  if (parts.version !== undefined && rules.version?.test(parts.version) === false)
    return `a version that matches ${rules.version.source}`
  if (rules.qualifier !== undefined && !parts.qualifiers.has(rules.qualifier)) return `the qualifier ${rules.qualifier}`
  return undefined
}
