/** When a client may believe new metadata: the checks of the client workflow (specification 1.0, §5.3 to §5.6). @module */
import { verifySignature } from '#crypto/verify'
import { digest, isDigestName } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import type { UnixMillis } from '#time'
import { formatRfc3339 } from '#time'
import type {
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
} from './model.js'
import { parseMetadata } from './parse.js'
import { TufError } from './tuf-error.js'

/** Keys together with who of them must sign. */
export interface Signers extends RoleKeys {
  readonly keys: ReadonlyMap<string, TufKey>
}

/**
 * §5.3.4 and its likes: enough different keys of the role have signed. Signatures of other keys are ignored.
 * @throws TufError `TUF_SIGNATURES`
 */
export async function requireSignatures(metadata: TufMetadata, { keys, keyIds, threshold }: Signers): Promise<void> {
  // One key under two ids must not count twice, so what is counted is the keys.
  const signed = new Set<string>()
  for (const { keyId, signature } of metadata.signatures) {
    const known = keyIds.includes(keyId) ? keys.get(keyId) : undefined
    if (known === undefined || signature.length === 0) continue
    const id = encodeHex(known.key.id)
    if (!signed.has(id) && (await isSignedBy(known, signature, metadata.signedBytes))) signed.add(id)
  }
  if (signed.size >= threshold) return
  throw new TufError('TUF_SIGNATURES', `${metadata.role.type} metadata is not signed by enough of its keys`, {
    expected: `${String(threshold)} of ${String(keyIds.length)} keys`,
    found: `${String(signed.size)} good signatures`,
  })
}

async function isSignedBy({ key, algorithm }: TufKey, signature: Uint8Array, data: Uint8Array): Promise<boolean> {
  try {
    return await verifySignature({ key, scheme: algorithm, signature }, data)
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}

/** The first root, trusted because the user says so (§5.2); it must still be signed by its own keys. */
export async function acceptInitialRoot(bytes: Uint8Array): Promise<TufMetadata<RootRole>> {
  const root = parseMetadata(bytes, 'root')
  await requireSignatures(root, signersOf(root.role, 'root'))
  return root
}

/** §5.3.4 and §5.3.5: the next root is signed by the keys of this one and by its own, and is exactly one version newer. */
export async function acceptNextRoot(
  current: TufMetadata<RootRole>,
  bytes: Uint8Array,
): Promise<TufMetadata<RootRole>> {
  const next = parseMetadata(bytes, 'root')
  await requireSignatures(next, signersOf(current.role, 'root'))
  await requireSignatures(next, signersOf(next.role, 'root'))
  requireVersion(next.role, current.role.version + 1)
  return next
}

/** What decides about the next metadata of a role. */
export interface Succession<Role extends TufRole> {
  readonly root: RootRole
  readonly bytes: Uint8Array
  /** What was trusted before, if anything: nothing may go back behind it. */
  readonly previous?: Role | undefined
}

/** §5.4.2 and §5.4.3: signed, and neither the timestamp nor its snapshot goes back. Equal versions are the caller's to notice. */
export async function acceptTimestamp({
  root,
  bytes,
  previous,
}: Succession<TimestampRole>): Promise<TufMetadata<TimestampRole>> {
  const timestamp = parseMetadata(bytes, 'timestamp')
  await requireSignatures(timestamp, signersOf(root, 'timestamp'))
  if (previous !== undefined) {
    requireNoRollback(previous.version, timestamp.role.version, 'timestamp')
    requireNoRollback(previous.snapshot.version, timestamp.role.snapshot.version, 'snapshot')
  }
  return timestamp
}

/**
 * §5.5.2 to §5.5.5: what the timestamp announces, signed, and no targets metadata goes back or missing.
 * Without `announced` it is only checked that it was once signed: enough for a snapshot that nothing may go back behind.
 */
export async function acceptSnapshot(
  succession: Succession<SnapshotRole> & { readonly announced?: MetaFile | undefined },
): Promise<TufMetadata<SnapshotRole>> {
  const { root, bytes, previous, announced } = succession
  if (announced !== undefined) requireContent(bytes, announced, 'snapshot.json')
  const snapshot = parseMetadata(bytes, 'snapshot')
  await requireSignatures(snapshot, signersOf(root, 'snapshot'))
  if (announced !== undefined) requireVersion(snapshot.role, announced.version)
  for (const [name, { version }] of previous?.meta ?? []) {
    const next = snapshot.role.meta.get(name)
    if (next === undefined) {
      throw new TufError('TUF_VERSION', 'targets metadata has disappeared from the snapshot', {
        expected: name.slice(0, 100),
      })
    }
    requireNoRollback(version, next.version, name)
  }
  return snapshot
}

/** §5.6.2 to §5.6.4: what the snapshot announces, signed by those who are responsible for it. */
export async function acceptTargets(source: {
  readonly bytes: Uint8Array
  readonly signers: Signers
  readonly announced: MetaFile
  /** For messages: `targets.json`. */
  readonly name: string
}): Promise<TufMetadata<TargetsRole>> {
  const { bytes, signers, announced, name } = source
  requireContent(bytes, announced, name)
  const targets = parseMetadata(bytes, 'targets')
  await requireSignatures(targets, signers)
  requireVersion(targets.role, announced.version)
  return targets
}

/** §5.3.10 and its likes: metadata has an end, after which somebody may be holding newer ones back. @throws TufError `TUF_EXPIRED` */
export function requireFresh(role: TufRole, now: UnixMillis): void {
  if (now < role.expires) return
  throw new TufError('TUF_EXPIRED', `${role.type} metadata has expired`, {
    expected: `metadata that is valid at ${formatRfc3339(now)}`,
    found: `valid until ${formatRfc3339(role.expires)}`,
    hint: 'check the clock; if it is right, the repository has to publish new metadata',
  })
}

/**
 * Length and hashes, as far as they are announced; of several hashes all that are supported.
 * @throws TufError `TUF_LENGTH`, `TUF_HASH`
 */
export function requireContent(bytes: Uint8Array, announced: MetaFile | TargetFile, name: string): void {
  if (announced.length !== undefined && announced.length !== bytes.length) {
    throw new TufError('TUF_LENGTH', `${name} has another length than announced`, {
      expected: `${String(announced.length)} bytes`,
      found: `${String(bytes.length)} bytes`,
    })
  }
  let checked = 0
  for (const [algorithm, expected] of announced.hashes) {
    if (!isDigestName(algorithm)) continue
    const found = encodeHex(digest(algorithm, bytes))
    if (found !== expected.toLowerCase())
      throw new TufError('TUF_HASH', `${name} is not what was announced`, { expected, found })
    checked++
  }
  if (checked > 0 || announced.hashes.size === 0) return
  throw new TufError('TUF_HASH', `${name} is announced only with hashes that are not supported`, {
    expected: 'sha256, sha384 or sha512',
    found: [...announced.hashes.keys()].join(', ').slice(0, 100),
  })
}

/** Keys and threshold of a top-level role. */
export function signersOf(root: RootRole, name: keyof RootRole['roles']): Signers {
  return { keys: root.keys, ...root.roles[name] }
}

function requireVersion(role: TufRole, expected: number): void {
  if (role.version === expected) return
  throw new TufError('TUF_VERSION', `${role.type} metadata has another version than it should`, {
    expected: String(expected),
    found: String(role.version),
  })
}

function requireNoRollback(before: number, after: number, name: string): void {
  if (after >= before) return
  throw new TufError('TUF_VERSION', `${name.slice(0, 100)} would go back to an older version`, {
    expected: `version ${String(before)} or newer`,
    found: String(after),
  })
}
