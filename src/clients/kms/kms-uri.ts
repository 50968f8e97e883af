/**
 * Addresses of keys at key management services, in the spelling that Sigstore has for them.
 * Source: sigstore/sigstore pkg/signature/kms/{aws,gcp,azure,hashivault}/client.go.
 *
 * @module
 */
import { KmsError } from './kms-error.js'

export interface AwsKeyUri {
  readonly service: 'aws'
  /** `host` or `host:port`; undefined: AWS' own, of the region. */
  readonly endpoint: string | undefined
  /** An id, `alias/NAME`, or an ARN of either. */
  readonly keyId: string
  /** Of an ARN. */
  readonly region: string | undefined
}

export interface GoogleKeyUri {
  readonly service: 'google'
  /** `projects/P/locations/L/keyRings/R/cryptoKeys/K`. */
  readonly key: string
  /** Undefined: the newest one that is enabled. */
  readonly version: string | undefined
}

export interface AzureKeyUri {
  readonly service: 'azure'
  /** Of the vault, in lower case. Not checked yet: see {@link azureAudience}. */
  readonly host: string
  readonly key: string
  /** Undefined: the newest one. */
  readonly version: string | undefined
}

export interface VaultKeyUri {
  readonly service: 'vault'
  readonly key: string
}

export type KmsUri = AwsKeyUri | GoogleKeyUri | AzureKeyUri | VaultKeyUri

const UUID = '[A-Fa-f0-9]{8}-?[A-Fa-f0-9]{4}-?[A-Fa-f0-9]{4}-?[A-Fa-f0-9]{4}-?[A-Fa-f0-9]{12}'
/** With the prefix of keys of several regions. */
const AWS_KEY = `(?:mrk-)?${UUID}`
const AWS_ALIAS = 'alias/[A-Za-z0-9/_-]{1,250}'
const AWS = new RegExp(
  `^([^/]*)/((?:arn:aws(?:-us-gov|-cn)?:kms:([a-z0-9-]{1,40}):\\d{12}:(?:key/${AWS_KEY}|${AWS_ALIAS}))|${AWS_KEY}|${AWS_ALIAS})$`,
)
const ENDPOINT = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/

// Narrower than the original's `[^/]+`: what stands here becomes a path, in which `..`, `?` and `%2f` would lead elsewhere.
const GOOGLE =
  /^(projects\/[a-z0-9][a-z0-9.:-]{0,80}\/locations\/[a-z0-9-]{1,63}\/keyRings\/[\w-]{1,63}\/cryptoKeys\/[\w-]{1,63})(?:\/(?:cryptoKeyVersions|versions)\/(\d{1,10}))?$/
const AZURE = /^([^/]{1,255})\/([0-9A-Za-z-]{1,127})(?:\/([a-z0-9]{0,64}))?$/
const VAULT = /^\w(?:[\w.-]{0,253}\w)?$/

/** Undefined: the rest of the address is not of its form. */
type Reader = (rest: string) => KmsUri | undefined

const SCHEMES: ReadonlyMap<string, { readonly form: string; readonly read: Reader }> = new Map([
  ['awskms', { form: 'awskms://[ENDPOINT]/[ID, alias/NAME or ARN]', read: readAws }],
  [
    'gcpkms',
    {
      form: 'gcpkms://projects/PROJECT/locations/LOCATION/keyRings/RING/cryptoKeys/KEY[/cryptoKeyVersions/VERSION]',
      read: readGoogle,
    },
  ],
  ['azurekms', { form: 'azurekms://VAULT.vault.azure.net/KEY[/VERSION]', read: readAzure }],
  ['hashivault', { form: 'hashivault://KEY', read: readVault }],
  ['openbao', { form: 'openbao://KEY', read: readVault }],
])

/** @throws {@link KmsError} KMS_URI */
export function parseKmsUri(text: string): KmsUri {
  const [, name = '', rest = ''] = /^([a-z]{1,20}):\/\/(.{1,2048})$/s.exec(text) ?? []
  const scheme = SCHEMES.get(name)
  const uri = scheme?.read(rest)
  if (uri !== undefined) return uri
  throw new KmsError('KMS_URI', 'not the address of a key at a key management service', {
    expected: scheme?.form ?? [...SCHEMES.values()].map(({ form }) => form).join(', '),
    found: text.slice(0, 200),
  })
}

function readAws(rest: string): AwsKeyUri | undefined {
  const [, endpoint, keyId, region] = AWS.exec(rest) ?? []
  if (endpoint === undefined || keyId === undefined) return undefined
  if (endpoint === '') return { service: 'aws', endpoint: undefined, keyId, region }
  if (!ENDPOINT.test(endpoint) || !URL.canParse(`https://${endpoint}/`)) return undefined
  return { service: 'aws', endpoint: endpoint.toLowerCase(), keyId, region }
}

function readGoogle(rest: string): GoogleKeyUri | undefined {
  const [, key, version] = GOOGLE.exec(rest) ?? []
  return key === undefined || key.includes('..') ? undefined : { service: 'google', key, version }
}

function readAzure(rest: string): AzureKeyUri | undefined {
  const [, host, key, version = ''] = AZURE.exec(rest) ?? []
  if (host === undefined || key === undefined) return undefined
  return { service: 'azure', host: host.toLowerCase(), key, version: version === '' ? undefined : version }
}

function readVault(rest: string): VaultKeyUri | undefined {
  return VAULT.test(rest) ? { service: 'vault', key: rest } : undefined
}
