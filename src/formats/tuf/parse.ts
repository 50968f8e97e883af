/** Reading TUF metadata (specification 1.0, §4.2 to §4.6). Unknown fields are kept for the signature and otherwise ignored. @module */
import { decodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { isJsonObject, parseJson } from '#encoding/json'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import { parseRfc3339 } from '#time'
import { canonicalTufJson } from './canonical-json.js'
import { parseTufKey } from './keys.js'
import type {
  Delegation,
  MetaFile,
  RoleKeys,
  RootRole,
  SnapshotRole,
  TargetFile,
  TargetsRole,
  TimestampRole,
  TufKey,
  TufMetadata,
  TufRole,
  TufSignature,
} from './model.js'
import { TufError } from './tuf-error.js'

/** The metadata type of each role. */
interface Roles {
  readonly root: RootRole
  readonly timestamp: TimestampRole
  readonly snapshot: SnapshotRole
  readonly targets: TargetsRole
}

type Parser<Role extends TufRole> = (signed: JsonObject) => Omit<Role, 'type' | 'version' | 'expires'>

const PARSERS: { readonly [Name in keyof Roles]: Parser<Roles[Name]> } = {
  root: parseRoot,
  timestamp: (signed) => ({
    snapshot: parseMetaFile(object(signed['meta'], 'meta')['snapshot.json'], 'snapshot.json'),
  }),
  snapshot: (signed) => ({ meta: mapOf(signed['meta'], 'meta', parseMetaFile) }),
  targets: parseTargets,
}

/**
 * Reads metadata that must be of the given role.
 * @throws TufError `TUF_MALFORMED`, `TUF_ROLE`, `TUF_CANONICAL`
 */
export function parseMetadata<Name extends keyof Roles>(bytes: Uint8Array, name: Name): TufMetadata<Roles[Name]> {
  return asTufError(name, () => {
    const document = object(parseJson(bytes), name)
    const signed = object(document['signed'], 'signed')
    const type = text(signed['_type'], '_type')
    if (type !== name) {
      throw new TufError('TUF_ROLE', 'the metadata is that of another role', {
        expected: name,
        found: type.slice(0, 40),
      })
    }
    if (!text(signed['spec_version'], 'spec_version').startsWith('1.')) throw malformed('spec_version', 'version 1')
    const common = { type: name, version: natural(signed['version'], 'version', 1), expires: time(signed['expires']) }
    // Safe: PARSERS is typed so that each name's parser yields the rest of that name's role.
    const role = { ...common, ...PARSERS[name](signed) } as unknown as Roles[Name]
    return { role, signatures: parseSignatures(document['signatures']), signedBytes: canonicalTufJson(signed), bytes }
  })
}

function parseRoot(signed: JsonObject): Omit<RootRole, 'type' | 'version' | 'expires'> {
  const roles = object(signed['roles'], 'roles')
  return {
    consistentSnapshot: signed['consistent_snapshot'] === true,
    keys: parseKeys(signed['keys']),
    roles: {
      root: parseRoleKeys(roles['root'], 'root'),
      timestamp: parseRoleKeys(roles['timestamp'], 'timestamp'),
      snapshot: parseRoleKeys(roles['snapshot'], 'snapshot'),
      targets: parseRoleKeys(roles['targets'], 'targets'),
    },
  }
}

function parseTargets(signed: JsonObject): Omit<TargetsRole, 'type' | 'version' | 'expires'> {
  const delegations = signed['delegations'] === undefined ? {} : object(signed['delegations'], 'delegations')
  return {
    targets: mapOf(signed['targets'], 'targets', parseTargetFile),
    keys: delegations['keys'] === undefined ? new Map() : parseKeys(delegations['keys']),
    delegations:
      delegations['roles'] === undefined ? [] : list(delegations['roles'], 'delegations.roles').map(parseDelegation),
  }
}

function parseDelegation(value: JsonValue): Delegation {
  const role = object(value, 'delegation')
  const { name, paths, path_hash_prefixes: prefixes, terminating } = role
  if ((paths === undefined) === (prefixes === undefined))
    throw malformed('delegation', 'either paths or path_hash_prefixes')
  return {
    ...parseRoleKeys(role, 'delegation'),
    name: text(name, 'delegation.name'),
    paths: paths === undefined ? undefined : list(paths, 'paths').map((path) => text(path, 'paths')),
    pathHashPrefixes:
      prefixes === undefined
        ? undefined
        : list(prefixes, 'path_hash_prefixes').map((prefix) => text(prefix, 'path_hash_prefixes')),
    terminating: terminating === true,
  }
}

function parseRoleKeys(value: JsonValue | undefined, name: string): RoleKeys {
  const role = object(value, `roles.${name}`)
  const keyIds = list(role['keyids'], `${name}.keyids`).map((id) => text(id, `${name}.keyids`))
  // §4.3: a threshold is at least 1; zero would be signed by nobody.
  return { keyIds, threshold: natural(role['threshold'], `${name}.threshold`, 1) }
}

function parseKeys(value: JsonValue | undefined): ReadonlyMap<string, TufKey> {
  const keys = new Map<string, TufKey>()
  for (const [id, statement] of Object.entries(object(value, 'keys'))) {
    const key = parseTufKey(statement)
    if (key !== undefined) keys.set(id, key)
  }
  return keys
}

function parseMetaFile(value: JsonValue | undefined, path: string): MetaFile {
  const file = object(value, path)
  const { length, hashes } = file
  return {
    version: natural(file['version'], `${path}.version`, 1),
    length: length === undefined ? undefined : natural(length, `${path}.length`, 0),
    hashes: hashes === undefined ? new Map() : mapOf(hashes, `${path}.hashes`, text),
  }
}

function parseTargetFile(value: JsonValue, path: string): TargetFile {
  const file = object(value, path)
  const hashes = mapOf(file['hashes'], `${path}.hashes`, text)
  if (hashes.size === 0) throw malformed(`${path}.hashes`, 'at least one hash')
  return { length: natural(file['length'], `${path}.length`, 0), hashes, custom: file['custom'] }
}

function parseSignatures(value: JsonValue | undefined): readonly TufSignature[] {
  return list(value, 'signatures').map((each) => {
    const { keyid, sig } = object(each, 'signature')
    // Signing tools leave an empty text where a signer has yet to sign: it is no signature, and no error.
    return { keyId: text(keyid, 'keyid'), signature: decodeHex(text(sig, 'sig')) }
  })
}

function mapOf<T>(
  value: JsonValue | undefined,
  path: string,
  read: (value: JsonValue, path: string) => T,
): ReadonlyMap<string, T> {
  return new Map(Object.entries(object(value, path)).map(([name, member]) => [name, read(member, `${path}.${name}`)]))
}

function object(value: JsonValue | undefined, path: string): JsonObject {
  if (isJsonObject(value)) return value
  throw malformed(path, 'an object')
}

function list(value: JsonValue | undefined, path: string): readonly JsonValue[] {
  if (Array.isArray(value)) return value as readonly JsonValue[]
  throw malformed(path, 'a list')
}

function text(value: JsonValue | undefined, path: string): string {
  if (typeof value === 'string') return value
  throw malformed(path, 'text')
}

function natural(value: JsonValue | undefined, path: string, least: number): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= least) return value
  throw malformed(path, `an integer from ${String(least)}`)
}

function time(value: JsonValue | undefined): UnixMillis {
  return parseRfc3339(text(value, 'expires'))
}

function malformed(path: string, expected: string): TufError {
  return new TufError('TUF_MALFORMED', `${path.slice(0, 100)} of the metadata is not right`, { expected })
}

function asTufError<T>(name: string, read: () => T): T {
  try {
    return read()
  } catch (cause) {
    if (!isCodedError(cause) || cause instanceof TufError) throw cause
    const { expected, found } = cause
    throw new TufError('TUF_MALFORMED', `${name} metadata cannot be read: ${cause.message}`, { expected, found, cause })
  }
}
