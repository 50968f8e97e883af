/**
 * Verifies a file against its bundle, as a program would that embeds countersign.
 *
 *   node examples/verify-file.mjs FILE BUNDLE TRUSTED_ROOT IDENTITY ISSUER
 *
 * Prints who signed and when, or why the signature is refused, check by check.
 *
 * @module
 */
import { readFile } from 'node:fs/promises'
import { VerificationError, isCodedError, parseBundle, parseTrustedRoot, verify } from 'countersign/verify'

const [file, bundle, trustedRoot, identity, issuer] = process.argv.slice(2)

try {
  const { signer, times } = await verify({
    entity: parseBundle(await readFile(bundle)),
    artifact: { kind: 'bytes', bytes: await readFile(file) },
    trust: parseTrustedRoot(await readFile(trustedRoot)),
    policy: { kind: 'identities', anyOf: [{ subject: { exact: identity }, issuer: { exact: issuer } }] },
  })
  console.log(`${signer.identity.subjects[0].value} signed ${file} at ${new Date(times[0].at).toISOString()}`)
} catch (error) {
  if (!isCodedError(error)) throw error
  console.error(`refused: ${error.message} (${error.code})`)
  if (error instanceof VerificationError) {
    for (const { name, status, detail } of error.report) console.error(`  ${status.padEnd(8)} ${name}: ${detail}`)
  }
  process.exitCode = 1
}
