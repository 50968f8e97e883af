/** Fulcio's configuration file, YAML or JSON, with every rule that Fulcio checks at its start. @module */
import { certificatesFromPem } from '#formats/x509/parse-certificate'
import type { FulcioClaim } from '#formats/x509/fulcio-extensions'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject } from '#encoding/json'
import type { CiProvider, FulcioConfig, IssuerConfig, IssuerType } from './config.js'
import { CHALLENGE_CLAIMS } from './config.js'
import { FulcioConfigError } from './errors.js'
import { isIssuerClaimPath } from './issuer-claim.js'
import { isSpiffeTrustDomain } from './spiffe-id.js'
import type { Template } from './template.js'
import { parseTemplate } from './template.js'

/** Names of `extension-templates` → claims, where the kebab-case name is not simply the claim's own. */
const EXTENSION_NAMES: ReadonlyMap<string, FulcioClaim> = new Map<string, FulcioClaim>([
  ['github-workflow-trigger', 'githubWorkflowTrigger'],
  ['github-workflow-sha', 'githubWorkflowSha'],
  ['github-workflow-name', 'githubWorkflowName'],
  ['github-workflow-repository', 'githubWorkflowRepository'],
  ['github-workflow-ref', 'githubWorkflowRef'],
  ['build-signer-uri', 'buildSignerUri'],
  ['build-signer-digest', 'buildSignerDigest'],
  ['runner-environment', 'runnerEnvironment'],
  ['source-repository-uri', 'sourceRepositoryUri'],
  ['source-repository-digest', 'sourceRepositoryDigest'],
  ['source-repository-ref', 'sourceRepositoryRef'],
  ['source-repository-identifier', 'sourceRepositoryIdentifier'],
  ['source-repository-owner-uri', 'sourceRepositoryOwnerUri'],
  ['source-repository-owner-identifier', 'sourceRepositoryOwnerIdentifier'],
  ['build-config-uri', 'buildConfigUri'],
  ['build-config-digest', 'buildConfigDigest'],
  ['build-trigger', 'buildTrigger'],
  ['run-invocation-uri', 'runInvocationUri'],
  ['source-repository-visibility-at-signing', 'sourceRepositoryVisibilityAtSigning'],
  ['deployment-environment', 'deploymentEnvironment'],
])

/**
 * Reads a configuration file.
 * @throws FulcioConfigError FULCIO_CONFIG_FORMAT, FULCIO_CONFIG_ISSUER, FULCIO_CONFIG_TEMPLATE
 */
export async function parseFulcioConfig(text: string): Promise<FulcioConfig> {
  const document = await parseYaml(text)
  const issuers = mapOf(document, ['oidc-issuers', 'OIDCIssuers'])
  const metaIssuers = mapOf(document, ['meta-issuers', 'MetaIssuers'])
  const providers = mapOf(document, ['ci-issuer-metadata', 'CIIssuerMetadata'])
  const config: FulcioConfig = {
    issuers: new Map(Object.entries(issuers).map(([url, value]) => [url, readIssuer(url, value)] as const)),
    metaIssuers: new Map(
      Object.entries(metaIssuers).map(([pattern, value]) => [pattern, readMetaIssuer(pattern, value)] as const),
    ),
    ciProviders: new Map(Object.entries(providers).map(([name, value]) => [name, readProvider(name, value)] as const)),
  }
  for (const issuer of [...config.issuers.values(), ...config.metaIssuers.values()]) {
    if (issuer.type === 'ci-provider' && !config.ciProviders.has(issuer.ciProvider ?? '')) {
      throw wrong(issuer.issuerUrl, 'ci-provider to name an entry of ci-issuer-metadata', issuer.ciProvider ?? 'none')
    }
  }
  return config
}

async function parseYaml(text: string): Promise<JsonObject> {
  const { load } = await import('js-yaml')
  try {
    // JSON is YAML, near enough for what Fulcio accepts as JSON.
    const document = load(separateAliasKeys(text)) as JsonValue | undefined
    if (isJsonObject(document)) return document
  } catch (cause) {
    throw new FulcioConfigError('FULCIO_CONFIG_FORMAT', 'the configuration is not YAML', { cause })
  }
  throw new FulcioConfigError('FULCIO_CONFIG_FORMAT', 'the configuration is not a map', {
    expected: 'oidc-issuers, meta-issuers, ci-issuer-metadata',
  })
}

/**
 * YAML 1.2 lets a colon be part of an alias's name, so `*github:` has no key; Go's reader, and with it Fulcio's own
 * configuration, takes the alias as the key. A space before the colon says the same in both.
 */
function separateAliasKeys(text: string): string {
  return text.replace(/^( *\*[\w-]+):(?=\s|$)/gm, '$1 :')
}

function mapOf(document: JsonObject, names: readonly [string, string]): JsonObject {
  const value = document[names[0]] ?? document[names[1]] ?? {}
  if (isJsonObject(value)) return value
  throw new FulcioConfigError('FULCIO_CONFIG_FORMAT', `${names[0]} is not a map`)
}

/** YAML name, JSON name (Fulcio has both spellings). */
const FIELDS = {
  issuerUrl: ['issuer-url', 'IssuerURL'],
  clientId: ['client-id', 'ClientID'],
  type: ['type', 'Type'],
  ciProvider: ['ci-provider', 'CIProvider'],
  issuerClaim: ['issuer-claim', 'IssuerClaim'],
  subjectDomain: ['subject-domain', 'SubjectDomain'],
  spiffeTrustDomain: ['spiffe-trust-domain', 'SPIFFETrustDomain'],
  challengeClaim: ['challenge-claim', 'ChallengeClaim'],
  caCert: ['ca-cert', 'CACert'],
} as const

function readIssuer(url: string, value: JsonValue): IssuerConfig {
  const issuer = readFields(url, value)
  if (issuer.issuerUrl !== url) throw wrong(url, 'issuer-url to be the key it stands under', issuer.issuerUrl)
  checkUrl(url)
  if (issuer.issuerClaim !== undefined && issuer.type !== 'email')
    throw wrong(url, 'issuer-claim with the type email only', issuer.type)
  if (issuer.issuerClaim !== undefined && !isIssuerClaimPath(issuer.issuerClaim)) {
    throw wrong(url, 'issuer-claim to be a path such as $.federated_claims.connector_id', issuer.issuerClaim)
  }
  TYPE_RULES[issuer.type]?.(issuer)
  return issuer
}

function readMetaIssuer(pattern: string, value: JsonValue): IssuerConfig {
  const issuer = { ...readFields(pattern, value), issuerUrl: pattern }
  // It would make many issuers speak for one trust domain.
  if (issuer.type === 'spiffe') throw wrong(pattern, 'no wildcard for the type spiffe', issuer.type)
  if (!/^https?:\/\/[^*]/.test(pattern) && !pattern.startsWith('https://*.'))
    throw wrong(pattern, 'a URL with * in places', pattern)
  return issuer
}

function readFields(url: string, value: JsonValue): IssuerConfig {
  if (!isJsonObject(value)) throw wrong(url, 'a map', typeof value)
  const text = (field: keyof typeof FIELDS): string | undefined => {
    const found = value[FIELDS[field][0]] ?? value[FIELDS[field][1]]
    if (found === undefined || found === null || found === '') return undefined
    if (typeof found === 'string') return found
    throw wrong(url, `${FIELDS[field][0]} to be text`, typeof found)
  }
  const skip = value['skip-email-verification'] ?? value['SkipEmailVerification'] ?? false
  if (typeof skip !== 'boolean') throw wrong(url, 'skip-email-verification to be true or false', typeof skip)
  const type = text('type') ?? ''
  if (!isIssuerType(type))
    throw wrong(url, `a type of ${Object.keys(CHALLENGE_CLAIMS).join(', ')}`, type === '' ? 'none' : type)
  const caCert = text('caCert')
  if (caCert !== undefined) checkCaCert(url, caCert)
  const clientId = text('clientId')
  if (clientId === undefined) throw wrong(url, 'a client-id: without one, tokens for any service would do', 'none')
  return {
    issuerUrl: text('issuerUrl') ?? url,
    clientId,
    type,
    ciProvider: text('ciProvider'),
    issuerClaim: text('issuerClaim'),
    subjectDomain: text('subjectDomain'),
    spiffeTrustDomain: text('spiffeTrustDomain'),
    challengeClaim: text('challengeClaim'),
    caCert,
    skipEmailVerification: skip,
  }
}

function isIssuerType(text: string): text is IssuerType {
  return Object.hasOwn(CHALLENGE_CLAIMS, text)
}

const TYPE_RULES: { readonly [Type in IssuerType]?: (issuer: IssuerConfig) => void } = {
  spiffe({ issuerUrl, spiffeTrustDomain }) {
    if (spiffeTrustDomain === undefined || !isSpiffeTrustDomain(spiffeTrustDomain)) {
      throw wrong(issuerUrl, 'a spiffe-trust-domain', spiffeTrustDomain ?? 'none')
    }
  },
  uri({ issuerUrl, subjectDomain }) {
    const domain = parseUrl(subjectDomain)
    const issuer = checkUrl(issuerUrl)
    if (domain === undefined) throw wrong(issuerUrl, 'a subject-domain with a scheme', subjectDomain ?? 'none')
    if (domain.protocol !== issuer.protocol || !sameSite(domain.hostname, issuer.hostname)) {
      throw wrong(issuerUrl, 'a subject-domain of the issuer’s own domain and scheme', subjectDomain ?? 'none')
    }
  },
  username({ issuerUrl, subjectDomain }) {
    if (subjectDomain === undefined || parseUrl(subjectDomain) !== undefined) {
      throw wrong(issuerUrl, 'a subject-domain without a scheme', subjectDomain ?? 'none')
    }
    if (!sameSite(subjectDomain, checkUrl(issuerUrl).hostname)) {
      throw wrong(issuerUrl, 'a subject-domain of the issuer’s own domain', subjectDomain)
    }
  },
}

/** Whether two hosts share their two last labels (Fulcio's own rule; it knows no public suffixes). */
function sameSite(a: string, b: string): boolean {
  if (a === b) return true
  const site = (host: string): string | undefined => /[^.]+\.[^.]+$/.exec(host)?.[0]
  return site(a) !== undefined && site(a) === site(b)
}

function checkUrl(text: string): URL {
  const url = parseUrl(text)
  if (url !== undefined && (url.protocol === 'https:' || url.protocol === 'http:')) return url
  throw wrong(text, 'an https or http URL', text)
}

function parseUrl(text: string | undefined): URL | undefined {
  return text?.includes('://') === true && URL.canParse(text) ? new URL(text) : undefined
}

function checkCaCert(url: string, pem: string): void {
  try {
    certificatesFromPem(pem)
  } catch (cause) {
    throw new FulcioConfigError(
      'FULCIO_CONFIG_ISSUER',
      `the ca-cert of ${url.slice(0, 100)} is not a PEM certificate`,
      { cause },
    )
  }
}

function readProvider(name: string, value: JsonValue): CiProvider {
  if (!isJsonObject(value)) throw wrong(name, 'a map', typeof value)
  const extensions = value['extension-templates'] ?? value['ExtensionTemplates'] ?? {}
  const defaults = value['default-template-values'] ?? value['DefaultTemplateValues'] ?? {}
  const subjectAltName = value['subject-alternative-name-template'] ?? value['SubjectAlternativeNameTemplate']
  if (!isJsonObject(extensions) || !isJsonObject(defaults))
    throw wrong(name, 'extension-templates and default-template-values to be maps', 'another type')
  if (typeof subjectAltName !== 'string' || subjectAltName.trim() === '')
    throw wrong(name, 'a subject-alternative-name-template', 'none')
  return {
    defaults: Object.fromEntries(Object.entries(defaults).map(([key, text]) => [key, defaultText(name, text)])),
    extensions: readExtensionTemplates(name, extensions),
    subjectAltName: parseTemplate(subjectAltName),
  }
}

function defaultText(provider: string, value: JsonValue): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw wrong(provider, 'default-template-values of text', typeof value)
}

function readExtensionTemplates(provider: string, templates: JsonObject): ReadonlyMap<FulcioClaim, Template> {
  const extensions = new Map<FulcioClaim, Template>()
  for (const [name, source] of Object.entries(templates)) {
    // The issuer and the subject always come from the token itself.
    if (name === 'issuer' || name === 'subject') continue
    const claim = EXTENSION_NAMES.get(name) ?? EXTENSION_NAMES.get(kebabCase(name))
    if (claim === undefined || typeof source !== 'string')
      throw wrong(provider, 'extension-templates of known names', name)
    if (source.trim() !== '') extensions.set(claim, parseTemplate(source))
  }
  return extensions
}

/** `BuildSignerURI` → `build-signer-uri`, for configurations in JSON. */
function kebabCase(name: string): string {
  return name.replace(/([a-z0-9])([A-Z])/g, '$1-$2').toLowerCase()
}

function wrong(issuer: string, expected: string, found: string): FulcioConfigError {
  return new FulcioConfigError('FULCIO_CONFIG_ISSUER', `the configuration of ${issuer.slice(0, 200)} cannot be used`, {
    expected,
    found: found.slice(0, 100),
  })
}
