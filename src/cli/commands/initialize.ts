/** `countersign initialize`. @module */
import { initializeCosignTuf, PUBLIC_GOOD_MIRROR, STAGING_MIRROR } from '#clients/tuf/cosign-cache'
import { digest } from '#crypto/digest'
import { encodeHex } from '#encoding/hex'
import { formatRfc3339 } from '#time'
import { type Command, defineCommand } from '../kit/command.js'
import { CliError, UsageError } from '../kit/errors.js'
import { fetchInput } from '../read-input.js'
import { tufOptions } from '../tuf.js'

export const command: Command = defineCommand({
  name: 'initialize',
  summary: 'Choose the TUF repository that trust comes from',
  description:
    'Forgets the cached metadata, fetches it anew and remembers the mirror. The root of the public instance is built in; that of any other one is given with --root.',
  flags: {
    mirror: { kind: 'url', help: `address of the repository, or file:///… (default ${PUBLIC_GOOD_MIRROR})` },
    root: { kind: 'path', placeholder: 'FILE|URL', help: 'the root to trust first' },
    'root-checksum': {
      kind: 'string',
      placeholder: '[sha512:]HEX',
      help: 'what the root must hash to; needed for one from the network',
    },
    staging: { kind: 'boolean', help: 'use the rehearsal of the public instance' },
  },
  examples: [
    { does: 'use the public instance', run: 'initialize' },
    {
      does: 'use a private one',
      run: 'initialize --mirror http://localhost:8080/tuf --root http://localhost:8080/tuf/1.root.json --root-checksum <sha256>',
    },
  ],

  async run({ flags, host, signal }) {
    if (flags.staging && flags.mirror !== undefined)
      throw new UsageError('USAGE_FLAG_CONFLICT', '--staging names a mirror already', { found: '--mirror' })
    const options = await tufOptions(host)
    const remote = flags.root !== undefined && /^https?:\/\//.test(flags.root)
    if (remote && flags['root-checksum'] === undefined) {
      host.terminal.note(
        'WARNING: the root comes over the network unchecked: whoever controls the way chooses whom you trust. Give --root-checksum.',
      )
    }
    const root =
      flags.root === undefined
        ? options.root
        : remote
          ? await fetchInput(host, flags.root, signal)
          : await host.files.read(flags.root)
    if (root !== undefined && flags['root-checksum'] !== undefined) requireChecksum(root, flags['root-checksum'])
    const mirror = flags.staging ? STAGING_MIRROR : (flags.mirror ?? options.mirror ?? PUBLIC_GOOD_MIRROR)
    const client = await initializeCosignTuf({ ...options, mirror, root, maxAge: 0 })
    host.terminal.write(`Root status: \n${JSON.stringify(status(mirror, client), undefined, 1)}\n`)
    return undefined
  },
})

type Client = Awaited<ReturnType<typeof initializeCosignTuf>>

function status(mirror: string, { status: roles, targets }: Client): Readonly<Record<string, unknown>> {
  const metadata = Object.entries(roles).map(([name, { version, length, expires }]) => [
    `${name}.json`,
    { version, len: length, expiration: formatRfc3339(expires), error: '' },
  ])
  return { remote: mirror, metadata: Object.fromEntries(metadata) as object, targets: [...targets.keys()] }
}

function requireChecksum(root: Uint8Array, given: string): void {
  const [, name = 'sha256', hex = ''] = /^(?:(sha256|sha512):)?([0-9a-fA-F]+)$/.exec(given) ?? []
  const actual = encodeHex(digest(name === 'sha512' ? 'sha512' : 'sha256', root))
  if (hex.toLowerCase() === actual) return
  throw new CliError('CLI_INPUT', 'the root does not have the given checksum', {
    expected: given,
    found: `${name}:${actual}`,
    hint: 'nothing was changed',
  })
}
