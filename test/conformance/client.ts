/**
 * The client that sigstore-conformance drives: its two commands, over the library.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { STAGING_MIRROR, cosignCacheDirectory, openCosignTuf } from '#clients/tuf/cosign-cache'
import { publicKeyFromPem } from '#crypto/public-key'
import { decodeHex } from '#encoding/hex'
import { isCodedError } from '#errors'
import type { TrustedRoot } from '#formats/trusted-root/trusted-root'
import { parseBundle } from '#formats/bundle/parse'
import { parseTrustedRoot } from '#formats/trusted-root/parse'
import type { Artifact } from '#verify/artifact'
import { VerificationError } from '#verify/errors'
import type { Policy } from '#verify/identity/identity-policy'
import { verify } from '#verify/verify'

const OPTIONS = new Set([
  '--bundle',
  '--certificate-identity',
  '--certificate-oidc-issuer',
  '--key',
  '--trusted-root',
  '--identity-token',
  '--signing-config',
])
const SWITCHES = new Set(['--staging', '--in-toto'])

class UsageError extends Error {}

interface CommandLine {
  readonly command: string
  readonly options: ReadonlyMap<string, string>
  readonly operand: string
}

function parseArguments([command = '', ...rest]: readonly string[]): CommandLine {
  const options = new Map<string, string>()
  const operands: string[] = []
  for (let at = 0; at < rest.length; at++) {
    const argument = rest[at] ?? ''
    if (SWITCHES.has(argument)) options.set(argument, '')
    else if (OPTIONS.has(argument)) options.set(argument, rest[++at] ?? '')
    else operands.push(argument)
  }
  const [operand, ...more] = operands
  if (operand === undefined || more.length > 0) throw new UsageError('exactly one file or digest is needed')
  return { command, options, operand }
}

function required(options: ReadonlyMap<string, string>, name: string): string {
  const value = options.get(name)
  if (value === undefined || value === '') throw new UsageError(`${name} is needed`)
  return value
}

/** A digest if it looks like one and no such file is there, as the protocol has it. */
function readArtifact(operand: string): Artifact {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(operand)?.[1]
  if (hex === undefined || statSync(operand, { throwIfNoEntry: false }) !== undefined) {
    return { kind: 'bytes', bytes: readFileSync(operand) }
  }
  return { kind: 'digest', digests: { sha256: decodeHex(hex) } }
}

function readPolicy(options: ReadonlyMap<string, string>): Policy {
  const key = options.get('--key')
  if (key !== undefined) return { kind: 'key', key: publicKeyFromPem(readFileSync(key, 'utf8')) }
  const subject = { exact: required(options, '--certificate-identity') }
  const issuer = { exact: required(options, '--certificate-oidc-issuer') }
  return { kind: 'identities', anyOf: [{ subject, issuer }] }
}

/** The file given; otherwise what the TUF repository of the public or the staging instance delivers. */
async function readTrust(options: ReadonlyMap<string, string>): Promise<TrustedRoot> {
  const path = options.get('--trusted-root')
  if (path !== undefined) return parseTrustedRoot(readFileSync(path))
  const tuf = await openCosignTuf({
    directory: cosignCacheDirectory(process.env['TUF_ROOT'], homedir()),
    mirror: options.has('--staging') ? STAGING_MIRROR : process.env['TUF_MIRROR'],
    fetch: globalThis.fetch,
    clock: Date.now,
  })
  return parseTrustedRoot(await tuf.target('trusted_root.json'))
}

async function verifyBundle({ options, operand }: CommandLine): Promise<void> {
  const policy = readPolicy(options)
  const entity = parseBundle(readFileSync(required(options, '--bundle')))
  const trust = await readTrust(options)
  await verify({ entity, artifact: readArtifact(operand), trust, policy })
}

/** Signing is the command line's: the suite signs a file as it is, or a statement as the payload. */
function signBundle({ options, operand }: CommandLine): Promise<void> {
  const command = options.has('--in-toto') ? ['attest-blob', '--statement', operand] : ['sign-blob', operand]
  const given = ['--identity-token', '--trusted-root', '--signing-config'].flatMap((name) => {
    const value = options.get(name)
    return value === undefined ? [] : [name, value]
  })
  const program = join(import.meta.dirname, '../../../bin/countersign')
  const { status } = spawnSync(
    process.execPath,
    [program, ...command, '--yes', '--bundle', required(options, '--bundle'), ...given],
    {
      stdio: 'inherit',
      env: options.has('--staging') ? { ...process.env, TUF_MIRROR: STAGING_MIRROR } : process.env,
    },
  )
  process.exitCode = status ?? 1
  return Promise.resolve()
}

const COMMANDS: ReadonlyMap<string, (line: CommandLine) => Promise<void>> = new Map([
  ['verify-bundle', verifyBundle],
  ['sign-bundle', signBundle],
])

async function main(argv: readonly string[]): Promise<void> {
  const line = parseArguments(argv)
  const command = COMMANDS.get(line.command)
  if (command === undefined) throw new UsageError(`unknown command ${line.command}`)
  await command(line)
}

function explain(error: unknown): string {
  if (!isCodedError(error)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const failed = error instanceof VerificationError ? error.report.find(({ status }) => status === 'failed') : undefined
  const lines = [`${error.code}: ${error.message}`]
  if (failed !== undefined)
    lines.unshift(`check ${failed.name}${failed.of === undefined ? '' : ` (${failed.of})`} failed`)
  if (error.expected !== undefined) lines.push(`expected: ${error.expected}`)
  if (error.found !== undefined) lines.push(`found: ${error.found}`)
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`)
  return lines.join('\n')
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${explain(error)}\n`)
  process.exitCode = 1
}
