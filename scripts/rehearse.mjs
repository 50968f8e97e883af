/**
 * Has the built program do once what people wait for, against a Sigstore and a registry in this process, so that its bytecode
 * (`bytecode.mjs`) can hold just the functions that it takes.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const KEYLESS = ['--signing-config', 'config.json', '--trusted-root', 'root.json', '--identity-token', 'token', '-y']
const KEYLESS_V1 = KEYLESS.map((word) => (word === 'config.json' ? 'config-v1.json' : word))
const KEY = ['--key', 'cosign.key', '--use-signing-config=false', '--tlog-upload=false', '-y']
const WITH_KEY = ['--key', 'cosign.pub', '--insecure-ignore-tlog']

/** What is run, in this order: each leaves behind what later ones read. */
function scenes({ image, keyed, issuer, mirror }) {
  const who = ['--certificate-identity', 'ann@example.com', '--certificate-oidc-issuer', issuer]
  const trusting = [...who, '--trusted-root', 'root.json']
  return [
    ['initialize', '--mirror', mirror, '--root', 'tuf-root.json'],
    ['sign', ...KEYLESS, image],
    ['sign', ...KEYLESS_V1, image],
    ['verify', ...trusting, image],
    ['verify', ...who, image],
    ['generate-key-pair'],
    ['sign', ...KEY, keyed],
    ['verify', ...WITH_KEY, keyed],
    ['sign', ...KEY, '--new-bundle-format=false', keyed],
    ['verify', ...WITH_KEY, keyed],
    ['attest', ...KEYLESS, '--predicate', 'predicate.json', '--type', 'custom', image],
    ['verify-attestation', ...trusting, '--type', 'custom', image],
    ['sign-blob', ...KEYLESS, '--bundle', 'blob.sigstore.json', 'blob'],
    ['verify-blob', ...trusting, '--bundle', 'blob.sigstore.json', 'blob'],
  ]
}

/** @returns {Promise<string[]>} what failed; everything else has been run all the same */
export async function rehearse(root) {
  const { openSigningBench } = await import(join(root, 'dist', 'testing', 'cli', 'signing-bench.js'))
  const { serve } = await import(join(root, 'dist', 'serving', 'serve.js'))
  let bench
  const failures = []
  const server = await serve((request) => bench.sigstore.handler(request), {
    host: '127.0.0.1',
    port: 0,
    onFault: (error) => failures.push(`the rehearsal’s Sigstore: ${String(error)}`),
  })
  const folder = mkdtempSync(join(tmpdir(), 'countersign-rehearsal-'))
  try {
    bench = await openSigningBench({ url: `http://localhost:${String(server.port)}`, now: Date.now() })
    const { sigstore, issuer, files } = bench
    const given = { ...files(), 'tuf-root.json': sigstore.tuf.root, 'predicate.json': '{}', blob: 'blob' }
    for (const [name, content] of Object.entries(given)) writeFileSync(join(folder, name), content)
    const names = { image: await bench.pushImage('rehearsed'), keyed: await bench.pushImage('keyed') }
    for (const words of scenes({ ...names, issuer, mirror: sigstore.tuf.mirror })) {
      const failure = await perform(root, folder, words)
      if (failure !== undefined) failures.push(failure)
    }
  } finally {
    await server.close(0)
    rmSync(folder, { recursive: true, force: true })
  }
  return failures
}

async function perform(root, folder, words) {
  const preload = ['--import', join(root, 'scripts', 'keep-bytecode.mjs')]
  const env = { PATH: process.env.PATH, HOME: folder, COSIGN_PASSWORD: 'rehearsal' }
  try {
    await promisify(execFile)(process.execPath, [...preload, join(root, 'bin', 'countersign'), ...words], {
      cwd: folder,
      env,
    })
    return undefined
  } catch (error) {
    return `rehearsing countersign ${words[0]}: ${error.stderr ?? error}`
  }
}
