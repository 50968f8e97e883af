/** Finding and fetching target files, through delegations (specification 1.0, §5.6.7 and §5.7). @module */
import { acceptTargets, requireContent, requireFresh } from '#formats/tuf/accept'
import { isDelegated } from '#formats/tuf/delegation'
import type { Delegation, TargetFile, TargetsRole } from '#formats/tuf/model'
import { isCodedError } from '#errors'
import { TufClientError } from './tuf-client-error.js'
import type { TrustedMetadata, UpdateContext } from './updater.js'
import { TARGETS_LIMIT } from './updater.js'

/** §5.6.7.1: a client need not follow delegations forever. */
const MAX_DELEGATIONS = 32

/**
 * The content of a target, from the store if it is there, else from the mirror.
 * @throws TufClientError `TUF_CLIENT_TARGET` when there is no such target, TufError when its content is not the announced one
 */
export async function fetchTarget(
  context: UpdateContext,
  metadata: TrustedMetadata,
  path: string,
): Promise<Uint8Array> {
  const file = await findTarget(context, metadata, path)
  const stored = await context.store.read(storedName(path))
  if (stored !== undefined && isContent(stored, file, path)) return stored
  const bytes = await context.mirror.read(`targets/${repositoryPath(metadata, file, path)}`, file.length)
  if (bytes === undefined) {
    throw new TufClientError('TUF_CLIENT_MISSING', 'the TUF mirror lacks a target that it announces', {
      expected: path.slice(0, 200),
    })
  }
  requireContent(bytes, file, path)
  await context.store.write(storedName(path), bytes)
  return bytes
}

/** Depth first in the order of the delegations; a terminating one that covers the path ends the search. */
async function findTarget(context: UpdateContext, metadata: TrustedMetadata, path: string): Promise<TargetFile> {
  const visited = new Set<string>()
  const search = async (role: TargetsRole): Promise<TargetFile | 'stop' | undefined> => {
    const file = role.targets.get(path)
    if (file !== undefined) return file
    for (const delegation of role.delegations) {
      if (!isDelegated(delegation, path) || visited.has(delegation.name) || visited.size >= MAX_DELEGATIONS) continue
      visited.add(delegation.name)
      const found = await search(await loadDelegated(context, metadata, { role, delegation }))
      if (found !== undefined) return found
      if (delegation.terminating) return 'stop'
    }
    return undefined
  }
  const found = await search(metadata.targets.role)
  if (found !== undefined && found !== 'stop') return found
  throw new TufClientError('TUF_CLIENT_TARGET', 'the TUF repository has no such target', {
    expected: path.slice(0, 200),
    found: [...metadata.targets.role.targets.keys()].join(', ').slice(0, 300) || 'no targets',
  })
}

async function loadDelegated(
  { mirror, now }: UpdateContext,
  { root, snapshot }: TrustedMetadata,
  { role, delegation }: { readonly role: TargetsRole; readonly delegation: Delegation },
): Promise<TargetsRole> {
  const name = `${delegation.name}.json`
  const announced = snapshot.role.meta.get(name)
  const path = root.role.consistentSnapshot ? `${String(announced?.version)}.${name}` : name
  const bytes = announced && (await mirror.read(path, announced.length ?? TARGETS_LIMIT))
  if (announced === undefined || bytes === undefined) {
    throw new TufClientError('TUF_CLIENT_MISSING', 'the metadata of a delegated role is missing', {
      expected: name.slice(0, 200),
    })
  }
  const { role: delegated } = await acceptTargets({
    bytes,
    signers: { keys: role.keys, ...delegation },
    announced,
    name,
  })
  requireFresh(delegated, now)
  return delegated
}

/** §5.7.3: with consistent snapshots the file's name begins with one of its hashes. */
function repositoryPath({ root }: TrustedMetadata, file: TargetFile, path: string): string {
  const hash = file.hashes.get('sha256') ?? [...file.hashes.values()][0]
  if (!root.role.consistentSnapshot || hash === undefined) return path
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}${hash}.${path.slice(slash)}`
}

/** As cosign names them in its cache: escaped, so that a target's path never leads out of the directory. */
function storedName(path: string): string {
  return `targets/${encodeURIComponent(path)}`
}

function isContent(bytes: Uint8Array, file: TargetFile, path: string): boolean {
  try {
    requireContent(bytes, file, path)
    return true
  } catch (error) {
    if (isCodedError(error)) return false
    throw error
  }
}
