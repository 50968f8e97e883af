import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { test } from 'node:test'

import { build } from 'esbuild'

/** What the package exports. A name that comes or goes is a change of the API: say so in CHANGELOG.md. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  './sign': [
    'CodedError',
    'attestationStatement',
    'certifiedCredential',
    'fixedCredential',
    'fulcioAuthority',
    'generatePrivateKey',
    'isCodedError',
    'parseSigningConfig',
    'parseTrustedRoot',
    'privateKeyFromPem',
    'privateKeyToPem',
    'randomBytes',
    'rekorLog',
    'rfc3161Authority',
    'selectSigningServices',
    'selfCheck',
    'serializeBundle',
    'signContent',
    'systemTimers',
  ],
  './verify': [
    'CodedError',
    'VerificationError',
    'compilePattern',
    'isCodedError',
    'parseBundle',
    'parsePublicKey',
    'parseTrustedRoot',
    'publicKeyFromPem',
    'verify',
    'verifyAttestationClaims',
    'verifyImageClaims',
  ],
}

const { exports: published } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  exports: Record<string, { readonly default: string } | string>
}

test('every module of src/public is an export of the package, and the other way round', () => {
  const modules = readdirSync('src/public').map((name) => `./${name.replace(/\.ts$/, '')}`)
  assert.deepEqual(
    Object.keys(published)
      .filter((name) => name !== './package.json')
      .sort(),
    modules.sort(),
  )
})

for (const [entry, names] of Object.entries(NAMES)) {
  test(`countersign${entry.slice(1)} exports these names`, async () => {
    const module = (await import(entry.replace('.', 'countersign'))) as object
    assert.deepEqual(Object.keys(module).sort(), names)
  })
}

test('who imports the verifier gets the pure layers and nothing of the rest', async () => {
  const { metafile } = await build({
    entryPoints: ['src/public/verify.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    logLevel: 'silent',
  })
  const inputs = Object.keys(metafile.inputs)
  const strangers = inputs.filter(
    (path) =>
      !/^src\/((encoding|crypto|formats|verify|public)\/|(errors|time)\.ts$)|^node_modules\/@noble\//.test(path),
  )
  assert.deepEqual(strangers, [])
})
