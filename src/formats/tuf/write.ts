/** Making TUF metadata. @module */
import { sha256 } from '#crypto/digest'
import type { Signer } from '#crypto/private-key'
import type { PublicKey } from '#crypto/public-key'
import { encodeHex } from '#encoding/hex'
import type { JsonObject, JsonValue } from '#encoding/json'
import { encodeUtf8 } from '#encoding/utf8'
import type { UnixMillis } from '#time'
import { formatRfc3339 } from '#time'
import { canonicalTufJson } from './canonical-json.js'
import { tufKeyId, tufKeyToJson } from './keys.js'
import type { RoleName } from './model.js'

/** What every metadata file says. */
export interface RoleHeader {
  readonly version: number
  readonly expires: UnixMillis
}

/** The keys of the four roles; each of a role's keys signs alone (threshold 1) unless more are asked for. */
export type RoleKeySet = Readonly<Record<RoleName, { readonly keys: readonly PublicKey[]; readonly threshold: number }>>

/** The signed part of root metadata. */
export function rootJson(header: RoleHeader, roles: RoleKeySet): JsonObject {
  const keys = Object.values(roles).flatMap((role) => role.keys)
  const role = ({ keys: own, threshold }: RoleKeySet[RoleName]): JsonObject => ({
    keyids: own.map(tufKeyId),
    threshold,
  })
  return {
    ...common('root', header),
    consistent_snapshot: true,
    keys: Object.fromEntries(keys.map((key) => [tufKeyId(key), tufKeyToJson(key)])),
    roles: {
      root: role(roles.root),
      snapshot: role(roles.snapshot),
      targets: role(roles.targets),
      timestamp: role(roles.timestamp),
    },
  }
}

/** A file to be announced as a target. */
export interface NewTarget {
  readonly bytes: Uint8Array
  readonly custom?: JsonValue | undefined
}

/** The signed part of targets metadata. */
export function targetsJson(header: RoleHeader, targets: ReadonlyMap<string, NewTarget>): JsonObject {
  const files = [...targets].map(([path, { bytes, custom }]) => [
    path,
    { ...fileJson(bytes), ...(custom === undefined ? {} : { custom }) },
  ])
  return { ...common('targets', header), targets: Object.fromEntries(files) as JsonObject }
}

/** A metadata file to be announced by another. */
export interface AnnouncedMetadata {
  readonly version: number
  readonly bytes: Uint8Array
}

/** The signed part of snapshot metadata. */
export function snapshotJson(header: RoleHeader, targets: AnnouncedMetadata): JsonObject {
  return { ...common('snapshot', header), meta: { 'targets.json': metaJson(targets) } }
}

/** The signed part of timestamp metadata. */
export function timestampJson(header: RoleHeader, snapshot: AnnouncedMetadata): JsonObject {
  return { ...common('timestamp', header), meta: { 'snapshot.json': metaJson(snapshot) } }
}

/** Signs metadata with every signer, and gives the bytes of the file. */
export async function signMetadata(signed: JsonObject, signers: readonly Signer[]): Promise<Uint8Array> {
  const bytes = canonicalTufJson(signed)
  const signatures = await Promise.all(
    signers.map(async (signer) => ({ keyid: tufKeyId(signer.publicKey), sig: encodeHex(await signer.sign(bytes)) })),
  )
  return encodeUtf8(`${JSON.stringify({ signatures, signed }, undefined, 1)}\n`)
}

function common(type: RoleName, { version, expires }: RoleHeader): JsonObject {
  // Whole seconds only: the specification's format has no fractions.
  const seconds = Math.floor(expires / 1000) * 1000
  return { _type: type, spec_version: '1.0.31', version, expires: formatRfc3339(seconds) }
}

function metaJson({ version, bytes }: AnnouncedMetadata): JsonObject {
  return { version, ...fileJson(bytes) }
}

function fileJson(bytes: Uint8Array): JsonObject {
  // One hash only: clients may pick any of them for the name of the file, and it is stored once.
  return { length: bytes.length, hashes: { sha256: encodeHex(sha256(bytes)) } }
}
