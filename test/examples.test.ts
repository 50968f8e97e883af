import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

import { serializeBundle } from '#formats/bundle/serialize'
import { serializeTrustedRoot } from '#formats/trusted-root/serialize'
import { createTestPki } from '#testing/pki/pki'
import { signMessage } from '#testing/pki/signed-entity'

const scratch = mkdtempSync(join(tmpdir(), 'countersign-examples-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const pki = await createTestPki()
const { artifact, entity } = await signMessage(pki)
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(scratch, name)
  writeFileSync(path, content)
  return path
}
const bundle = file('file.sigstore.json', serializeBundle(entity))
const trustedRoot = file('trusted-root.json', serializeTrustedRoot(pki.trusted))
const issuer = 'https://issuer.example.com'

function verifyFile(path: string, identity: string): { readonly status: number | null; readonly output: string } {
  const args = ['examples/verify-file.mjs', path, bundle, trustedRoot, identity, issuer]
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  return { status, output: stdout + stderr }
}

test('examples/verify-file.mjs says who signed', () => {
  const { status, output } = verifyFile(file('file', artifact), 'alice@example.com')
  assert.match(output, /^alice@example.com signed .* at 2025-/)
  assert.equal(status, 0)
})

test('examples/verify-file.mjs refuses another file', () => {
  const { status, output } = verifyFile(file('other', 'another file\n'), 'alice@example.com')
  assert.match(output, /VERIFY_LOG_ENTRY_MISMATCH|VERIFY_ARTIFACT_MISMATCH/)
  assert.equal(status, 1)
})

test('examples/verify-file.mjs refuses another identity, and shows which checks had passed', () => {
  const { status, output } = verifyFile(file('file', artifact), 'mallory@example.com')
  assert.match(output, /VERIFY_IDENTITY/)
  assert.match(output, /failed +identity/)
  assert.match(output, /passed +certificate-path/)
  assert.equal(status, 1)
})
